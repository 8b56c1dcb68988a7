/** Loopback listeners and the peers that dial them. */

import { encode, type ProxyHeader } from "../../mod.ts";

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
  const all = typeof bytes === "string"
    ? new TextEncoder().encode(bytes)
    : bytes;
  for (let at = 0; at < all.length;) at += await conn.write(all.subarray(at));
}

/** Everything until the end, or until the peer resets. */
export async function receive(
  conn: Pick<Deno.Conn, "read">,
): Promise<Uint8Array<ArrayBuffer>> {
  let received = new Uint8Array(0);
  const buffer = new Uint8Array(65536);
  for (;;) {
    let count: number | null;
    try {
      count = await conn.read(buffer);
    } catch {
      return received;
    }
    if (count === null) return received;
    const longer = new Uint8Array(received.length + count);
    longer.set(received);
    longer.set(buffer.subarray(0, count), received.length);
    received = longer;
  }
}

/** Everything until the end, as text. */
export async function receiveText(
  conn: Pick<Deno.Conn, "read">,
): Promise<string> {
  return new TextDecoder().decode(await receive(conn));
}
