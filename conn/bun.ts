/**
 * The PROXY protocol for the sockets of `Bun.listen`.
 *
 * {@link proxied} wraps the handlers once. `open` is called with the decoded
 * header as soon as the header has arrived. `data` receives the payload from its
 * first byte. For a header inside TLS, set `tls` in `Bun.listen`. For TLS after a
 * plain-text header, call {@link upgradeTls}.
 *
 * ```ts ignore
 * import { proxied } from "@edgewire/proxy-protocol/bun";
 *
 * Bun.listen({
 *   hostname: "0.0.0.0",
 *   port: 8080,
 *   socket: proxied({
 *     open(socket, info) {
 *       console.log(socket.remoteAddress); // 192.0.2.7
 *       console.log(info?.tlvs.AUTHORITY); // example.com
 *     },
 *     data(socket, payload) {
 *       socket.write(payload);
 *     },
 *   }, { trust: ["10.0.0.0/8"] }),
 * });
 * ```
 *
 * Handlers infer the types of Bun, in the call and in a variable. To type
 * `socket.data`, call `proxied` inside a call that names the type of the data:
 * `Bun.listen<Data>({ socket: proxied({ … }, { … }) })`.
 *
 * For HTTP, {@link serveHttp} accepts the options of `Bun.serve`. For servers of
 * `node:http`, use `@edgewire/proxy-protocol/node`, which also runs on Bun.
 *
 * @module
 */

import { EMPTY } from "../codec/internal.ts";
import type { ProxyInfo } from "../codec/mod.ts";
import { checkHandlers } from "./_misuse.ts";
import { Gate } from "./admission/gate.ts";
import { readOptions } from "./admission/policy.ts";
import { BunConn, connOf } from "./bun/conn.ts";
import { startHttp } from "./bun/http/serve.ts";
import type {
  BunHttpOptions,
  BunHttpProxied,
  BunServeOptions,
  BunServer,
} from "./bun/http/types.ts";
import { laterHandlers } from "./bun/later_handlers.ts";
import { BunRelay } from "./bun/relay.ts";
import type {
  BunHandlers,
  BunListenerOptions,
  BunNativePayload,
  BunNativeSocket,
  BunPayload,
  BunProxiedHandlers,
  BunRelayTarget,
  BunSocket,
} from "./bun/types.ts";
import { readRelayOptions, type RelayPlan } from "./sending/read_options.ts";
import type { RelayOptions, RelayResult } from "./sending/types.ts";

export * from "./_common.ts";
export type {
  BunHandlers,
  BunListenerOptions,
  BunNativePayload,
  BunNativeSocket,
  BunPayload,
  BunProxiedHandlers,
  BunRelayTarget,
  BunSocket,
} from "./bun/types.ts";
export type {
  BunHttpOptions,
  BunHttpProxied,
  BunHttpProxyOptions,
  BunPlainOptions,
  BunPlainServe,
  BunPlainServer,
  BunServe,
  BunServeOptions,
  BunServer,
  BunSocketAddress,
} from "./bun/http/types.ts";
export type { RelayOptions, RelayResult } from "./sending/types.ts";

/** Handlers that `proxied` has returned. */
const WRAPPED = new WeakSet<object>();

/**
 * Wraps the handlers of `Bun.listen({ socket })`, so that they are called for a
 * connection after its PROXY header has arrived (section 2). It works for TCP, TLS
 * with the header inside, and UNIX sockets.
 *
 * `open` receives the socket and the header. The addresses of the socket are now
 * those of the client's connection: `remoteAddress`, `remotePort`, `remoteFamily`,
 * `localAddress`, `localPort` and `localFamily`. They are `undefined` for a client
 * on a UNIX socket. They stay the real ones for LOCAL, UNKNOWN, UNSPEC and direct
 * peers, and for `header: "discard"`.
 *
 * All other handlers are called as without a proxy, in the order of the events. No
 * handler is called for a rejected connection. Payload that arrives with the
 * header, or while `verify` runs, is delivered after `open`. `pause()` in `open`
 * delays its delivery.
 *
 * A rejected connection is closed, counted in `stats` and reported to `onReject`.
 * Nothing that a peer does throws. `signal` closes the pending connections and
 * rejects later ones, but you stop the listener. Errors that your handlers throw
 * are handled as without a proxy: your `error` handler receives them, else they
 * are uncaught.
 *
 * The returned handlers may serve several listeners. Handlers can be wrapped only
 * once. `socket.reload()` of Bun replaces the handlers of the whole listener, so
 * pass only these handlers to it.
 *
 * @throws {TypeError} for a wrong or unknown option, with its name.
 * @throws {RangeError} for an option out of its range, with its name.
 *
 * @example
 * ```ts ignore
 * import { proxied } from "@edgewire/proxy-protocol/bun";
 *
 * const socket = proxied({
 *   open(socket) {
 *     console.log(socket.remoteAddress); // 192.0.2.7
 *   },
 *   data(socket, payload) {
 *     console.log(payload.toString()); // hello
 *   },
 * }, {
 *   trust: ["10.0.0.0/8"],
 *   onReject: (error) => console.warn(error.code, error.hop, error.message),
 * });
 * Bun.listen({ hostname: "0.0.0.0", port: 8080, socket });
 * ```
 */
export function proxied<
  S extends BunSocket = BunNativeSocket,
  P extends BunPayload = BunNativePayload,
>(
  handlers: BunHandlers<S, P>,
  options: BunListenerOptions<S>,
): BunProxiedHandlers<S, P> {
  checkHandlers(handlers);
  if (WRAPPED.has(handlers)) {
    throw new TypeError("Cannot wrap the handlers: wrapped already");
  }
  // Connections whose header is pending keep the process alive.
  const gate = new Gate<S>(readOptions(options), false);
  const wrapped: BunProxiedHandlers<S, P> = {
    stats: gate.stats,
    open: (socket) => new BunConn(socket, handlers, gate).begin(),
    ...laterHandlers(handlers),
  };
  WRAPPED.add(wrapped);
  return wrapped;
}

/**
 * Resolves to the header of a socket that was opened with `lazy`, after the header
 * has arrived and `verify` has accepted it. For any other socket, it resolves at
 * once.
 *
 * @throws {ProxyProtocolError} when the connection is rejected. The connection
 * is then closed.
 *
 * @example
 * ```ts ignore
 * import { proxied, ready } from "@edgewire/proxy-protocol/bun";
 *
 * const socket = proxied({
 *   async open(socket) {
 *     socket.write("220 mail.example ESMTP\r\n");
 *     await ready(socket).catch(() => {});
 *     console.log(socket.remoteAddress); // 192.0.2.7
 *   },
 * }, { trust: ["10.0.0.0/8"], lazy: true });
 * Bun.listen({ hostname: "0.0.0.0", port: 2525, socket });
 * ```
 */
export async function ready(socket: object): Promise<ProxyInfo | undefined> {
  return await connOf(socket)?.ready;
}

/**
 * Begins TLS as the server after a plain-text header, with `socket.upgradeTLS`.
 * Call it in `open`. The TLS session begins with the payload that arrived with
 * the header. The returned socket also shows the client. From then on the
 * handlers of `options` are called instead of those of {@link proxied}.
 *
 * It accepts the options of `upgradeTLS`: `tls`, `socket`, `data`. It adds
 * `isServer` and `initialData`, which the types of Bun do not have.
 *
 * @returns The TLS socket, or `undefined` if the connection is already closed.
 *
 * @example
 * ```ts ignore
 * import { proxied, upgradeTls } from "@edgewire/proxy-protocol/bun";
 *
 * const tls = { key: Bun.file("key.pem"), cert: Bun.file("cert.pem") };
 * const socket = proxied({
 *   open(socket) {
 *     upgradeTls(socket, {
 *       tls,
 *       socket: {
 *         data(socket, payload) {
 *           console.log(socket.remoteAddress); // 192.0.2.7
 *           socket.write(payload);
 *         },
 *       },
 *     });
 *   },
 * }, { trust: ["10.0.0.0/8"] });
 * Bun.listen({ hostname: "0.0.0.0", port: 8443, socket });
 * ```
 */
export function upgradeTls<
  O extends { readonly socket: { open?(socket: T): unknown } },
  T extends object,
>(
  socket: {
    upgradeTLS(options: O): readonly [raw: unknown, tls: T] | undefined;
  },
  options: O,
): T | undefined {
  const conn = connOf(socket);
  if (conn?.isClosed) return undefined; // or the runtime throws
  if (conn?.isAwaited) {
    throw new TypeError(
      "Cannot begin TLS: the header has not come, wait for ready(socket)",
    );
  }
  const payload = conn?.takePayload() ?? EMPTY;
  const handlers = options.socket;
  // Those of a class are on its prototype.
  const wrapped: O["socket"] = Object.create(handlers, {
    open: {
      value(tls: T) {
        conn?.adopt(tls);
        return handlers.open?.call(tls, tls);
      },
    },
  });
  const [, tls] = socket.upgradeTLS({
    ...options,
    isServer: true,
    ...(payload.length > 0 && { initialData: payload }),
    socket: wrapped,
  }) ?? [];
  if (tls !== undefined) conn?.adopt(tls);
  return tls;
}

/**
 * Connects to a target and copies in both directions until both have ended, like
 * `relay` for other runtimes. With `send`, it first writes a header to the target:
 * the client, and the received TLVs (section 4.1, chains of proxies). At the end
 * both connections are closed, in every case.
 *
 * Call it in `open`, or call `pause()` there until you do. From then on no handler
 * of {@link proxied} is called for the socket. Reading from one side pauses while
 * 64 KiB or more wait to be written to the other, or for the target to connect.
 * That has no time limit of its own, so pass a `signal` or an `idleTimeout`.
 *
 * Set `allowHalfOpen: true` in `Bun.listen`. Then the end of one direction is
 * forwarded, and the other direction continues. Without it, when a client ends its
 * direction, Bun closes the connection before the answer.
 *
 * When one side is reset, or fails in another way, the other side is reset, also
 * below TLS. If the target cannot be reached, or the `signal` fires, both sides are
 * closed without a reset.
 *
 * A socket that was opened with `lazy` is relayed at once. With `send`, the target
 * is dialled after the header has arrived. If the header is rejected, the `error`
 * of the result says why.
 *
 * Failures of the connections, including a failure to connect, are returned in the
 * result. A target with TLS receives the header and the payload after its
 * certificate is verified.
 *
 * @throws {TypeError} for a wrong option, or a socket that {@link proxied} has
 * not opened. The socket is then closed.
 * @throws {RangeError} for an option out of its range. The socket is then closed.
 *
 * @example
 * ```ts ignore
 * import { proxied, relay } from "@edgewire/proxy-protocol/bun";
 *
 * const socket = proxied({
 *   async open(socket) {
 *     const target = { hostname: "10.0.0.9", port: 443 };
 *     const { sent, received } = await relay(socket, target, { send: 2 });
 *     console.log(sent, received); // 5 0
 *   },
 * }, { trust: ["10.0.0.0/8"] });
 * Bun.listen({ hostname: "0.0.0.0", port: 8443, allowHalfOpen: true, socket });
 * ```
 */
export async function relay(
  socket: BunSocket,
  target: BunRelayTarget,
  options: RelayOptions = {},
): Promise<RelayResult> {
  const conn = connOf(socket);
  let plan: RelayPlan;
  try {
    plan = readRelayOptions(options);
    if (conn === undefined || !conn.serves(socket)) {
      throw new TypeError(
        "Cannot relay the socket: not opened by proxied(), or relayed already",
      );
    }
  } catch (error) {
    socket.terminate();
    throw error;
  }
  return await new BunRelay(socket, conn, plan).run(target);
}

/**
 * Serves HTTP like `Bun.serve`, behind the PROXY protocol (section 2). Its options
 * are those of `Bun.serve` and `proxy`. It returns the server of `Bun.serve`.
 *
 * `server.requestIP(request)` and `ws.remoteAddress` are the client. They are
 * the real peer for LOCAL, UNKNOWN, UNSPEC and direct peers, and with
 * `header: "discard"`. {@link proxyInfo} and {@link proxyHop} accept a request
 * or a WebSocket. All other members of the server mean what they mean for
 * `Bun.serve`. `reload` also accepts `proxy`. The new options apply to later
 * connections, and `stats` starts again at 0. `signal` of `proxy` calls
 * `stop()`.
 *
 * TLS begins after the header. HTTP/1 and HTTP/2 are served. Frameworks need
 * nothing else: `fetch: app.fetch` for Hono and Elysia, with the `websocket`
 * handlers that they export.
 *
 * `Bun.serve` accepts no existing connection. So the native server listens on a
 * port of 127.0.0.1, and each accepted connection is forwarded to it:
 *
 * - A local process can connect to that port. It receives status 403, and no
 *   handler is called. For this reason a route that is a `Response` or a file
 *   becomes a handler. HTML bundles and directories are rejected as routes,
 *   because no handler can serve them.
 * - Each client uses one ephemeral port. With the default range of Linux at
 *   most 28,000 clients can be connected at once. If no port is left, the
 *   connection is closed, counted in `stats` and reported to `onReject` with
 *   code `io`.
 * - Linux uses the port of a closed connection again after 1 s, unless
 *   `tcp_tw_reuse` is 0. Other systems may wait for a minute or more.
 * - An idle client takes 3 descriptors and 6 KB, of which `Bun.serve` alone takes 1
 *   and 1.5 KB.
 * - Requests per second were 0.4 times those of `Bun.serve` with keep-alive, and
 *   0.3 times those with one request on each connection.
 *
 * @throws {TypeError} for a wrong or unknown option of `proxy`, with its name.
 * @throws {TypeError} for `http3`, since a header arrives by TCP.
 * @throws {TypeError} for a route that no handler can serve.
 * @throws {RangeError} for an option out of its range, with its name.
 * @throws {Error} when it cannot listen, with the code of the system.
 *
 * @example
 * ```ts ignore
 * import { proxyInfo, serveHttp } from "@edgewire/proxy-protocol/bun";
 *
 * serveHttp({
 *   port: 8080,
 *   fetch(request, server) {
 *     console.log(server.requestIP(request)?.address); // 192.0.2.7
 *     console.log(proxyInfo(request)?.tlvs.AUTHORITY); // example.com
 *     return new Response("hello\n");
 *   },
 *   proxy: { trust: ["10.0.0.0/8"] },
 * });
 * ```
 */
export function serveHttp<D = undefined, R extends string = never>(
  options: BunServeOptions<D, R> & BunHttpOptions,
): BunServer<D> & BunHttpProxied {
  return startHttp(options);
}
