/**
 * The HAProxy PROXY protocol, versions 1 and 2, for Deno, Bun, Node and the
 * edge: the codec, and adapters that read the header of a connection.
 *
 * ```ts ignore
 * import { proxied } from "@edgewire/proxy-protocol";
 *
 * const tcp = Deno.listen({ port: 8080 });
 * for await (const conn of proxied(tcp, { trust: ["10.0.0.0/8"] })) {
 *   console.log(conn.remoteAddr); // { transport: "tcp", hostname: "192.0.2.7", port: 51234 }
 *   console.log(conn.info?.tlvs.AUTHORITY); // example.com
 *   conn.pipeTo(conn.writable).catch(console.error);
 * }
 * ```
 *
 * This module imports nothing from a runtime. Importing it has no side effects.
 *
 * @module
 */

export * from "./codec/mod.ts";
export * from "./conn/accept.ts";
export { trustList } from "./conn/admission/trust.ts";
export * from "./conn/datagram.ts";
export * from "./conn/datagram_sessions.ts";
export * from "./conn/header_of.ts";
export * from "./conn/proxied.ts";
export type { ProxiedConn } from "./conn/proxied_conn.ts";
export * from "./conn/relay.ts";
export * from "./conn/serve.ts";
export type * from "./conn/native_types.ts";
export type * from "./conn/types.ts";
export * from "./conn/write_header.ts";
