/**
 * The PROXY protocol for `Deno.serve`.
 *
 * {@link serveHttp} accepts the options and the handler of `Deno.serve`, and the
 * option `proxy`, which says who may send a header. The handler receives the
 * client's address and the decoded header.
 *
 * ```ts ignore
 * import { serveHttp } from "@edgewire/proxy-protocol/deno";
 *
 * const proxy = { trust: ["10.0.0.0/8"] };
 * serveHttp({ port: 8080, proxy }, (_request, info) => {
 *   console.log(info.remoteAddr.hostname); // 192.0.2.7
 *   console.log(info.proxy?.tlvs.AUTHORITY); // example.com
 *   return new Response("hello\n");
 * });
 * ```
 *
 * For connections other than HTTP, wrap a listener with `proxied` of
 * `@edgewire/proxy-protocol`. For `node:http`, use
 * `@edgewire/proxy-protocol/node`. It also answers more requests per second
 * behind a proxy.
 *
 * @module
 */

import type { Address } from "../codec/mod.ts";
import { HttpFront } from "./deno/http_front.ts";
import { checkPermission } from "./deno/inner_server.ts";
import { type GivenOptions, readServeOptions } from "./deno/options.ts";
import type {
  DenoHandler,
  DenoHttpServer,
  DenoServeInit,
  DenoServeTcpOptions,
  DenoServeUnixOptions,
  DenoUnixAddr,
} from "./deno/types.ts";

export * from "./_common.ts";
export type {
  DenoHandler,
  DenoHandlerInfo,
  DenoHttpServer,
  DenoNetAddr,
  DenoProxyOptions,
  DenoServeInit,
  DenoServeOptions,
  DenoServeTcpOptions,
  DenoServeUnixOptions,
  DenoUnixAddr,
  DenoVerifyConn,
} from "./deno/types.ts";
export type { ConnFacts } from "./proxied_conn.ts";

/**
 * Serves HTTP like `Deno.serve` to clients that connect through a proxy with PROXY
 * headers (section 2).
 *
 * It accepts the options of `Deno.serve` and `proxy`. All features of `Deno.serve`
 * work: HTTP/2 by ALPN and HTTP/1 over TLS that begins after the header, WebSocket
 * upgrades, `request.signal`, UNIX listeners. `reusePort` needs `--unstable-net`,
 * and vsock listeners are not supported.
 *
 * `Deno.serve` accepts no existing connection. So an internal `Deno.serve` listens
 * on a free port of 127.0.0.1, and the bytes after each header are copied to it.
 * Consequences:
 *
 * - Net access to 127.0.0.1 is required in addition to the public address:
 *   `--allow-net=0.0.0.0:8000,127.0.0.1`.
 * - A client needs three file descriptors and one port of the system, which has
 *   28,000 by default on Linux.
 * - A process that connects to the internal port is answered with status 403.
 *   No handler is called.
 *
 * `proxyInfo(request)`, `proxyHop(request)` and `headerOf(request)` return the
 * same as the handler's second argument, for programs that have only the
 * request. They do not work for a clone of a request.
 *
 * Rejected connections are closed, counted in `stats` and reported to
 * `proxy.onReject`. If the system has no port left for an accepted connection,
 * that connection is closed, counted and reported in the same way, with code
 * `io`.
 *
 * `DENO_SERVE_ADDRESS` changes the address of the public listener, as for
 * `Deno.serve`. This needs permission to read it
 * (`--allow-env=DENO_SERVE_ADDRESS`). With `DENO_TRUST_PROXY_HEADERS=1` clients
 * could name their own address. Then `finished` rejects and no client is served.
 *
 * @throws {TypeError} for a wrong or unknown option of `proxy`, with its name, and
 * for a wrong option of `Deno.serve`.
 * @throws {TypeError} on a runtime other than Deno.
 * @throws {RangeError} for an option out of its range, with its name.
 * @throws {Deno.errors.NotCapable} without net access to one of the addresses.
 * @throws {Deno.errors.AddrInUse} if another process listens there.
 * @throws {Error} if `DENO_SERVE_ADDRESS` has an unsupported value, or may not be
 * read.
 *
 * @example
 * ```ts ignore
 * import { serveHttp } from "@edgewire/proxy-protocol/deno";
 *
 * const server = serveHttp({
 *   port: 8443,
 *   cert: Deno.readTextFileSync("cert.pem"),
 *   key: Deno.readTextFileSync("key.pem"),
 *   proxy: {
 *     trust: ["10.0.0.0/8"],
 *     onReject: (error) => console.warn(error.code, error.hop, error.message),
 *   },
 * }, (request, { remoteAddr, proxy }) => {
 *   console.log(remoteAddr.hostname); // 192.0.2.7
 *   return Response.json({ alpn: proxy?.tlvs.ALPN ?? null, url: request.url });
 * });
 * Deno.addSignalListener("SIGTERM", () => server.shutdown());
 * ```
 */
export function serveHttp(
  options: DenoServeUnixOptions,
  handler: DenoHandler<Address>,
): DenoHttpServer<DenoUnixAddr>;
/** Serves HTTP on an address. See the first overload. */
export function serveHttp(
  options: DenoServeTcpOptions,
  handler: DenoHandler,
): DenoHttpServer;
/** Serves HTTP on a UNIX socket, with the handler among the options. */
export function serveHttp(
  options: DenoServeUnixOptions & DenoServeInit<Address>,
): DenoHttpServer<DenoUnixAddr>;
/** Serves HTTP on an address, with the handler among the options. */
export function serveHttp(
  options: DenoServeTcpOptions & DenoServeInit,
): DenoHttpServer;
export function serveHttp(
  given: GivenOptions,
  handler?: GivenOptions["handler"],
): DenoHttpServer<Address> {
  const options = readServeOptions(given, handler);
  checkPermission();
  const front = new HttpFront(options);
  const { addr, stats, finished } = front;
  const { onListen, isTls } = options;
  if (onListen !== undefined) onListen(addr);
  else console.error(listeningOn(addr, isTls));
  // Functions, not methods: like those of Deno they need no `this`.
  return {
    addr,
    stats,
    finished,
    ref: () => front.ref(),
    unref: () => front.unref(),
    shutdown: () => front.shutdown(),
    [Symbol.asyncDispose]: () => front.shutdown(),
  };
}

/** What is logged, as by `Deno.serve`. */
function listeningOn(addr: Address, isTls: boolean): string {
  if ("path" in addr) return `Listening on ${addr.path} (PROXY protocol)`;
  const { hostname, port } = addr;
  const host = hostname.includes(":") ? `[${hostname}]` : hostname;
  const scheme = isTls ? "https" : "http";
  return `Listening on ${scheme}://${host}:${port}/ (PROXY protocol)`;
}
