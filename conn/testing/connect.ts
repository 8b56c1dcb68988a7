import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { encode, type ProxyHeader } from "../../codec/mod.ts";
import { isPeerGone } from "../admission/refusal.ts";
import type { SampleHeader } from "./samples.ts";

/**
 * Where a server listens: `listener.addr` of Deno, `server.address()` of Node, a
 * listener of Bun, or the path of a UNIX socket.
 */
export type ServerAddress =
  | {
    /** Address or name of the host. */
    readonly hostname?: string;
    /** Address of the host, as `server.address()` has it. */
    readonly address?: string;
    /** Port. */
    readonly port: number;
    /** A listener of Bun has this name for TCP as well. */
    readonly unix?: undefined;
  }
  | { readonly path: string }
  | { readonly unix: string }
  | string
  | null;

/** Options of {@link connectThrough}. */
export interface ConnectOptions {
  /**
   * Address to connect from, such as `"127.0.0.2"` on Linux. For the server, it
   * is the address of the proxy, or of another peer that its `trust` does not
   * list.
   */
  localAddress?: string;
}

const LOOPBACK = "127.0.0.1";

/** Addresses of servers that listen on all interfaces. */
const WILDCARDS: readonly unknown[] = ["0.0.0.0", "::"];

/**
 * Connects to a server as a proxy does: sends the header in one write. Returns
 * the socket, which is then a client of the server.
 *
 * The header is one of {@link SENDERS} or {@link REJECTED}, an object for
 * `encode`, or bytes or text of your own. A server that listens on all interfaces is
 * dialled at 127.0.0.1.
 *
 * The socket is one of `node:net` on every runtime. To read the server's
 * answer, use `await text(socket)` with `text` of `node:stream/consumers`. Give
 * the socket to `http.get({ createConnection: () => socket })` for a request of
 * HTTP, and to `tls.connect({ socket })` for TLS after the header. If the
 * server resets the connection, reading throws, and no error is uncaught. Close
 * the socket with `await using` or `destroy()`.
 *
 * @throws {TypeError} for a header that `encode` rejects, and for the address of a
 * server that does not listen.
 * @throws {Error} if nobody listens there.
 *
 * @example
 * ```ts
 * import { proxied, serve } from "@edgewire/proxy-protocol";
 * import { connectThrough } from "@edgewire/proxy-protocol/testing";
 * import { text } from "node:stream/consumers";
 *
 * const tcp = Deno.listen({ hostname: "127.0.0.1", port: 0 });
 * const server = serve(proxied(tcp, { trust: ["loopback"] }), async (conn) => {
 *   await conn.write(new TextEncoder().encode(JSON.stringify(conn.remoteAddr)));
 * });
 * const socket = await connectThrough(tcp.addr, {
 *   source: { transport: "tcp", hostname: "192.0.2.7", port: 50000 },
 *   destination: { transport: "tcp", hostname: "198.51.100.1", port: 443 },
 * });
 * console.log(await text(socket)); // {"transport":"tcp","hostname":"192.0.2.7","port":50000}
 * await server.shutdown();
 * ```
 */
export async function connectThrough(
  address: ServerAddress,
  header: SampleHeader | ProxyHeader | Uint8Array | string,
  options: ConnectOptions = {},
): Promise<Socket> {
  const bytes = typeof header === "string" || header instanceof Uint8Array
    ? header
    : "bytes" in header
    ? header.bytes
    : encode(header);
  const target = targetOf(address);
  const socket = connect({ ...target, ...options });
  try {
    await once(socket, "connect");
  } catch (error) {
    // A server that rejects at once may reset before the runtime has noticed
    // that it was connected.
    if (!isPeerGone(error)) throw error;
  }
  socket.on("error", () => {}); // reading throws it
  if (!socket.destroyed) socket.write(bytes);
  return socket;
}

/** Returns the address in the form of `node:net`. */
function targetOf(
  address: ServerAddress,
): { path: string } | { host: string; port: number } {
  if (typeof address === "string") return { path: address };
  if (address === null) {
    throw new TypeError("Cannot connect: the server does not listen");
  }
  if ("path" in address) return { path: address.path };
  if (address.unix !== undefined) return { path: address.unix };
  const { hostname, address: ip, port } = address;
  const host = hostname ?? ip ?? LOOPBACK;
  return { host: WILDCARDS.includes(host) ? LOOPBACK : host, port };
}

/**
 * Resolves to `true` if the server closes or resets the connection without
 * sending a byte, as it does when it rejects the header. Resolves to `false` at
 * the first byte, which you can still read. If the server waits for the client
 * to speak first, send a request before the call.
 *
 * @example
 * ```ts
 * import { proxied, serve } from "@edgewire/proxy-protocol";
 * import {
 *   connectThrough,
 *   isRejected,
 *   REJECTED,
 *   SENDERS,
 * } from "@edgewire/proxy-protocol/testing";
 *
 * const tcp = Deno.listen({ hostname: "127.0.0.1", port: 0 });
 * const server = serve(proxied(tcp, { trust: ["loopback"] }), async (conn) => {
 *   await conn.write(new TextEncoder().encode("220 hello\r\n"));
 * });
 * {
 *   await using good = await connectThrough(tcp.addr, SENDERS.awsNlb);
 *   await using bad = await connectThrough(tcp.addr, REJECTED.wrongChecksum);
 *   console.log(await isRejected(good), await isRejected(bad)); // false true
 * }
 * await server.shutdown();
 * ```
 */
export async function isRejected(socket: Socket): Promise<boolean> {
  for (;;) {
    const chunk: unknown = socket.read();
    if (chunk !== null) {
      socket.unshift(chunk);
      return false;
    }
    if (socket.readableEnded || socket.destroyed) return true;
    await new Promise<void>((resolve) => {
      const events = ["readable", "end", "close"];
      const wake = () => {
        for (const event of events) socket.off(event, wake);
        resolve();
      };
      for (const event of events) socket.on(event, wake);
    });
  }
}
