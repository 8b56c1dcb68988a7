/**
 * Helpers to test your own server behind a proxy, on Deno, Bun and Node: a
 * client that first sends a header, and headers of real senders.
 *
 * On Deno, with `Deno.test`:
 *
 * ```ts
 * import { proxied, serve } from "@edgewire/proxy-protocol";
 * import { connectThrough, SENDERS } from "@edgewire/proxy-protocol/testing";
 * import { text } from "node:stream/consumers";
 * import { assertEquals } from "@std/assert";
 *
 * Deno.test("the server greets the client, not the proxy", async () => {
 *   const tcp = Deno.listen({ hostname: "127.0.0.1", port: 0 });
 *   const server = serve(proxied(tcp, { trust: ["loopback"] }), async (conn) => {
 *     const { remoteAddr } = conn;
 *     const client = "hostname" in remoteAddr ? remoteAddr.hostname : "?";
 *     await conn.write(new TextEncoder().encode(`hello ${client}`));
 *   });
 *   {
 *     await using socket = await connectThrough(tcp.addr, SENDERS.haproxyV2);
 *     assertEquals(await text(socket), "hello 192.0.2.1");
 *   }
 *   await server.shutdown();
 * });
 * ```
 *
 * On Bun, with `bun:test`:
 *
 * ```ts ignore
 * import { expect, test } from "bun:test";
 * import { proxied } from "@edgewire/proxy-protocol/bun";
 * import { connectThrough, SENDERS } from "@edgewire/proxy-protocol/testing";
 * import { text } from "node:stream/consumers";
 *
 * test("the server greets the client, not the proxy", async () => {
 *   const listener = Bun.listen<undefined>({
 *     hostname: "127.0.0.1",
 *     port: 0,
 *     socket: proxied({
 *       open(socket) {
 *         socket.end(`hello ${socket.remoteAddress}`);
 *       },
 *     }, { trust: ["loopback"] }),
 *   });
 *   await using socket = await connectThrough(listener, SENDERS.haproxyV2);
 *   expect(await text(socket)).toBe("hello 192.0.2.1");
 *   listener.stop();
 * });
 * ```
 *
 * On Node, with `node:test`:
 *
 * ```ts ignore
 * import assert from "node:assert/strict";
 * import { once } from "node:events";
 * import { createServer, get } from "node:http";
 * import { text } from "node:stream/consumers";
 * import { test } from "node:test";
 * import { proxied } from "@edgewire/proxy-protocol/node";
 * import { connectThrough, SENDERS } from "@edgewire/proxy-protocol/testing";
 *
 * test("the server greets the client, not the proxy", async (t) => {
 *   const server = createServer((request, response) => {
 *     response.end(`hello ${request.socket.remoteAddress}`);
 *   });
 *   proxied(server, { trust: ["loopback"] }).listen(0, "127.0.0.1");
 *   await once(server, "listening");
 *   t.after(() => server.close());
 *   const socket = await connectThrough(server.address(), SENDERS.haproxyV2);
 *   t.after(() => socket.destroy());
 *   const request = get({ createConnection: () => socket });
 *   const [response] = await once(request, "response");
 *   assert.equal(await text(response), "hello 192.0.2.1");
 * });
 * ```
 *
 * @module
 */

export type {
  Address,
  Command,
  DecodedTlvs,
  Family,
  ProxyHeader,
  ProxyInfo,
  ProxyProtocolErrorCode,
  RawTlv,
  TlvLocations,
  Tlvs,
  Transport,
} from "../codec/mod.ts";
export {
  type ConnectOptions,
  connectThrough,
  isRejected,
  type ServerAddress,
} from "./testing/connect.ts";
export {
  REJECTED,
  type Rejected,
  type RejectedHeader,
  type SampleHeader,
  type SenderHeader,
  SENDERS,
  type Senders,
} from "./testing/samples.ts";
