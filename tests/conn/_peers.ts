/** Loopback listeners and the peers that dial them. */

import { encode, type ProxyHeader } from "../../mod.ts";
import { utf8 } from "../_bytes.ts";
import { receiveAll, send as sendBytes } from "./_loopback.ts";

/** Two addresses from the ranges for documentation. */
export const CLIENT = {
  source: { transport: "tcp", hostname: "192.0.2.1", port: 1111 },
  destination: { transport: "tcp", hostname: "198.51.100.1", port: 2222 },
} as const satisfies ProxyHeader;

/** A v2 header for {@link CLIENT}. */
export const HEADER: Uint8Array<ArrayBuffer> = encode(CLIENT);

/** A listener on a port that the system chooses. */
export function listen(): Deno.TcpListener {
  return Deno.listen({ hostname: "127.0.0.1", port: 0 });
}

/** Dials a listener, or what wraps it, and sends bytes. */
export async function dial(
  { addr }: { addr: Deno.NetAddr },
  bytes?: Uint8Array | string,
): Promise<Deno.TcpConn> {
  const conn = await Deno.connect({ hostname: "127.0.0.1", port: addr.port });
  if (bytes !== undefined) await send(conn, bytes);
  return conn;
}

/** Sends all of it. */
export async function send(
  conn: Pick<Deno.Conn, "write">,
  bytes: Uint8Array | string,
): Promise<void> {
  await sendBytes(conn, typeof bytes === "string" ? utf8(bytes) : bytes);
}

/** Everything until the end; nothing when the peer resets. */
export async function receive(
  conn: Pick<Deno.Conn, "read">,
): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return await receiveAll(conn);
  } catch (error) {
    if (!(error instanceof Deno.errors.ConnectionReset)) throw error;
    return new Uint8Array();
  }
}

/** Everything until the end, as text. */
export async function receiveText(
  conn: Pick<Deno.Conn, "read">,
): Promise<string> {
  return new TextDecoder().decode(await receive(conn));
}
