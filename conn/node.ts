/**
 * The PROXY protocol for servers and sockets of `node:net`, `node:tls`,
 * `node:http`, `node:https` and `node:http2`, on Node, Deno and Bun.
 *
 * {@link proxied} makes a server read the header of each connection first, even
 * before TLS. Applications and frameworks on top need no change, and
 * `request.socket.remoteAddress` is the client.
 *
 * ```ts ignore
 * import { createServer } from "node:http";
 * import { proxied, proxyInfo } from "@edgewire/proxy-protocol/node";
 *
 * const server = createServer((request, response) => {
 *   console.log(request.socket.remoteAddress); // 192.0.2.7
 *   console.log(proxyInfo(request)?.tlvs.AUTHORITY); // example.com
 *   response.end("hello\n");
 * });
 * proxied(server, { trust: ["10.0.0.0/8"] }).listen(8080);
 * ```
 *
 * A reverse proxy names its clients to a backend with {@link HeaderAgent},
 * {@link HttpsHeaderAgent} or {@link connectorFor}.
 *
 * @module
 */

import { Server as HttpServer } from "node:http";
import { Server as HttpsServer } from "node:https";
import type { Socket } from "node:net";
import process from "node:process";
import { setImmediate } from "node:timers";
import { TLSSocket } from "node:tls";
import { checkNames } from "../codec/internal.ts";
import type { ProxyInfo } from "../codec/mod.ts";
import { checkSocket } from "./_misuse.ts";
import { Gate } from "./admission/gate.ts";
import { type Policy, readOptions } from "./admission/policy.ts";
import { factsOf, remember } from "./_facts.ts";
import { adoptSocket, exportSocket } from "./node/exported.ts";
import { endTls, listenInFront, needsFront } from "./node/front.ts";
import { timeoutsOf } from "./node/http_timeouts.ts";
import { joinWrites } from "./node/join_writes.ts";
import { override } from "./node/override.ts";
import { NodePeer, release } from "./node/peer.ts";
import { checkLazy, checkServer, markWrapped } from "./node/is_server.ts";
import { NodeDoor } from "./node/server.ts";
import { NodeRelay } from "./node/relay.ts";
import { showOn } from "./node/show.ts";
import { checkTarget, isSocket } from "./node/target.ts";
import { beginTls } from "./node/upgrade.ts";
import type {
  AdoptOptions,
  ExportedInfo,
  NodeAccepted,
  NodeAcceptOptions,
  NodeListenerOptions,
  NodeProxied,
  NodeRelaySocket,
  NodeRelayTarget,
  NodeServer,
  NodeSocket,
  NodeUpgradeOptions,
} from "./node/types.ts";
import { readRelayOptions, type RelayPlan } from "./sending/read_options.ts";
import type { RelayOptions, RelayResult } from "./sending/types.ts";

export * from "./_common.ts";
export {
  type ClientPoolOptions,
  HeaderAgent,
  type HeaderAgentOptions,
  HttpsHeaderAgent,
  type HttpsHeaderAgentOptions,
} from "./node/agents.ts";
export {
  type Connector,
  connectorFor,
  type ConnectorOptions,
  type ConnectTarget,
} from "./node/connector.ts";
export { type Closable, perClient } from "./node/per_client.ts";
export type { EncodeOptions, ProxyHeader, RawTlv } from "../codec/mod.ts";
export type {
  AdoptOptions,
  ExportedInfo,
  NodeAccepted,
  NodeAcceptOptions,
  NodeListenerOptions,
  NodeProxied,
  NodeRelayAddress,
  NodeRelaySocket,
  NodeRelayTarget,
  NodeServer,
  NodeSocket,
  NodeUpgradeOptions,
} from "./node/types.ts";
export type { RelayOptions, RelayResult } from "./sending/types.ts";

/**
 * Reads the PROXY header of a socket. Returns the decoded header and the same
 * socket. The addresses of the socket are now those of the client's connection
 * (section 2): `remoteAddress`, `remotePort`, `remoteFamily`, `localAddress`,
 * `localPort` and `localFamily`. They are `undefined` for a client on a UNIX
 * socket. They stay the real ones for LOCAL, UNKNOWN and UNSPEC, without a header,
 * and with `header: "discard"`.
 *
 * Call it before anything reads from the socket. It removes only the header. Your
 * next reader receives the payload from its first byte, in whatever way and
 * whenever it reads. `timeout` is the time limit for the header, 5000 ms by
 * default. For a `tls.TLSSocket`, the header is the one inside TLS.
 *
 * @throws {ProxyProtocolError} when the connection is rejected. The socket is then
 * destroyed, and its `'error'` events are handled. Code `empty` means that the peer
 * closed without sending a byte, as TCP health checks do. Do not log it.
 * @throws {TypeError} for a wrong or unknown option, for a value that is not a
 * socket, and for a socket that was accepted already. The socket is then unchanged.
 * @throws {RangeError} for an option out of its range. The socket is then unchanged.
 *
 * @example
 * ```ts ignore
 * import { createServer } from "node:net";
 * import { accept } from "@edgewire/proxy-protocol/node";
 *
 * createServer((socket) => {
 *   accept(socket, { trust: ["10.0.0.0/8"] }).then(({ info, conn }) => {
 *     console.log(conn.remoteAddress); // 192.0.2.7
 *     console.log(info?.tlvs.AUTHORITY); // example.com
 *     conn.on("error", console.error).pipe(conn);
 *   }, console.error);
 * }).listen(8080);
 * ```
 */
export async function accept<S extends NodeSocket>(
  socket: S,
  options: NodeAcceptOptions<S>,
): Promise<NodeAccepted<S>> {
  checkSocket(socket);
  // Not counted in `stats`, and reported only to the caller.
  const policy = { ...readNodeOptions(options), onReject: undefined };
  const gate = new Gate<S>(policy, true);
  try {
    const info = await new Promise<ProxyInfo | undefined>((resolve, reject) =>
      new NodePeer(socket, gate, (info, flow) => {
        resolve(info);
        setImmediate(() => { // by then the caller has added its listeners
          release(socket);
          flow();
        });
      }, reject).begin()
    );
    return { info, conn: socket };
  } finally {
    gate.waits.close();
  }
}

/**
 * Makes a server read a PROXY header from each connection, in plain text and before
 * TLS (section 2). Returns the same server. It accepts servers of `node:net`,
 * `node:tls`, `node:http`, `node:https` and `node:http2`.
 *
 * Listeners of the server receive a connection after its header has arrived.
 * This also applies to listeners that you add later. Sockets of the server show
 * the client like those of {@link accept}, including the sockets of TLS and of
 * requests.
 *
 * Headers are read concurrently, so a silent peer delays no other. At most
 * `maxPending` (1024) headers are pending. A rejected connection is destroyed,
 * counted in `stats` and reported to `onReject`. Timeouts of HTTP begin when the
 * header has arrived.
 *
 * Closing the server also closes connections whose header is pending. `signal`
 * closes the server. If the signal has already fired, the server does not begin to
 * listen, as with the `signal` of `listen`.
 *
 * A server that already listens can be wrapped. Its existing connections are not
 * checked. On Bun, servers of HTTP and TLS are native, so a server of `node:net`
 * listens in their place. If such a server already listens, it listens again at the
 * same address, without its other options of `listen`.
 *
 * @throws {TypeError} for a value that is not a server of these modules. The
 * message says what to wrap instead.
 * @throws {TypeError} for a server that is wrapped already, and for a wrong or
 * unknown option.
 * @throws {RangeError} for an option out of its range, with its name.
 *
 * @example
 * ```ts ignore
 * import { readFileSync } from "node:fs";
 * import { createSecureServer } from "node:http2";
 * import { proxied } from "@edgewire/proxy-protocol/node";
 *
 * const server = createSecureServer({
 *   key: readFileSync("key.pem"),
 *   cert: readFileSync("cert.pem"),
 *   allowHTTP1: true,
 * }, (request, response) => {
 *   console.log(request.socket.remoteAddress); // 192.0.2.7
 *   response.end("hello\n");
 * });
 * proxied(server, {
 *   trust: ["10.0.0.0/8"],
 *   onReject: (error) => console.warn(error.code, error.hop, error.message),
 * }).listen(8443);
 * ```
 */
export function proxied<S extends NodeServer>(
  server: S,
  options: NodeListenerOptions,
): S & NodeProxied {
  checkServer(server);
  if (options?.lazy) checkLazy(server);
  const isFronted = needsFront(server);
  const timeouts = isFronted ? timeoutsOf(server) : undefined;
  const pass = (event: unknown[]): boolean => {
    timeouts?.see(event);
    return Reflect.apply(emit, server, event);
  };
  const joins = isFronted &&
    (server instanceof HttpServer || server instanceof HttpsServer);
  const hand = (socket: NodeSocket) => {
    if (joins) joinWrites(socket);
    pass(["connection", socket]);
  };
  const door = new NodeDoor(
    readNodeOptions(options),
    isFronted && server instanceof HttpsServer ? endTls(server, hand) : hand,
  );
  if (isFronted) listenInFront(server, (socket) => door.admit(socket));
  const { emit } = server;
  const { signal } = options;
  const stop = () => void server.close();
  const heedSignal = () => {
    if (signal?.aborted) process.nextTick(stop); // like `listen({ signal })`
    else signal?.addEventListener("abort", stop);
  };
  heedSignal();
  // Every server receives its connections by this event. Replacing `emit` reaches
  // all listeners, those that are added later included.
  override(server, "emit", (...event: unknown[]) => {
    const [name, first] = event;
    if (name === "connection") {
      door.admit(first);
      return true;
    }
    if (name === "listening") heedSignal();
    if (name === "close") signal?.removeEventListener("abort", stop);
    if (HEIRS.has(name)) event.forEach(inherit);
    return pass(event);
  });
  for (const name of ["close", "closeAllConnections"]) {
    const method: unknown = Reflect.get(server, name);
    if (typeof method !== "function") continue;
    override(server, name, (...args) => {
      const result: unknown = Reflect.apply(method, server, args);
      door.closePending();
      return result;
    });
  }
  markWrapped(server);
  return Object.assign(server, { stats: door.stats });
}

function readNodeOptions<S>(options: NodeAcceptOptions<S>): Policy<S> {
  return readOptions(options, ["encrypted"]);
}

/** Events whose arguments are built upon a socket. */
const HEIRS = new Set<unknown>([
  "secureConnection",
  "tlsClientError",
  "session",
  "stream",
]);

/** Copies the facts of a socket, because links to the socket end with it. */
function inherit(heir: unknown): void {
  if (typeof heir !== "object" || heir === null) return;
  const facts = factsOf(heir);
  if (facts === undefined) return;
  remember(heir, facts);
  const { shown, conn } = facts;
  // A TLS socket asks the socket below only while that exists.
  if (shown !== undefined && heir instanceof TLSSocket) showOn(heir, shown);
  // A session of Bun asks for the class of its socket.
  const isPlain = Reflect.get(heir, "encrypted") === false;
  if (isPlain && Reflect.get(conn, "encrypted") === true) {
    Object.defineProperty(heir, "encrypted", {
      value: true,
      configurable: true,
    });
  }
}

/**
 * Resolves to the header of a socket that was delivered with `lazy`, after the
 * header has arrived and `verify` has accepted it. For any other socket, it
 * resolves at once. It accepts the same arguments as {@link proxyInfo}.
 *
 * @throws {ProxyProtocolError} when the connection is rejected. The socket is then
 * destroyed.
 *
 * @example
 * ```ts ignore
 * import { createServer } from "node:net";
 * import { proxied, ready } from "@edgewire/proxy-protocol/node";
 *
 * const server = createServer(async (socket) => {
 *   socket.on("error", console.error);
 *   socket.write("220 mail.example ESMTP\r\n");
 *   await ready(socket).catch(() => {});
 *   console.log(socket.remoteAddress); // 192.0.2.7
 * });
 * proxied(server, { trust: ["10.0.0.0/8"], lazy: true }).listen(2525);
 * ```
 */
export async function ready(
  socketOrRequest: object,
): Promise<ProxyInfo | undefined> {
  const facts = factsOf(socketOrRequest);
  return await (facts?.ready ?? facts?.info);
}

/**
 * Connects a socket to a target and copies in both directions until both have
 * ended. With `send`, it first writes a header to the target: the client, and the
 * received TLVs (section 4.1, chains of proxies). The end of one direction is
 * forwarded, and the other direction continues. At the end both sockets are closed,
 * in every case.
 *
 * The target is a socket, a function that returns one, or an object with the
 * options of `net.connect`. With `tls`, these are the options of `tls.connect`.
 * A target with TLS receives the header and the payload inside TLS, after its
 * certificate is verified. Reading from one side pauses while more bytes wait
 * on the other than its `highWaterMark`, or 64 KiB until the target is
 * connected. That time has no limit of its own, so pass a `signal` or an
 * `idleTimeout`.
 *
 * When one side is reset, or fails in another way, the other side is reset, also
 * below TLS. On Deno a reset below TLS arrives as an end. If the target cannot be
 * reached, or the `signal` fires, both sockets are closed without a reset.
 *
 * The socket must come from {@link proxied} or {@link accept}, or be TLS on such a
 * socket. Do not read from it or write to it after the call. A socket that was
 * delivered with `lazy` is relayed at once. With `send`, the target is dialled after
 * the header has arrived. If the header is rejected, the `error` of the result says
 * why.
 *
 * Failures of the connections, including a failure to connect, are returned in the
 * result.
 *
 * @throws {TypeError} for a wrong option, and for a socket that was not accepted
 * here or is relayed already. Both sockets are then destroyed.
 * @throws {RangeError} for an option out of its range. Both sockets are then
 * destroyed.
 *
 * @example
 * ```ts ignore
 * import { createServer } from "node:net";
 * import { proxied, relay } from "@edgewire/proxy-protocol/node";
 *
 * const server = createServer(async (socket) => {
 *   const target = { host: "10.0.0.9", port: 443 };
 *   const { sent, received } = await relay(socket, target, { send: 2 });
 *   console.log(sent, received); // 5 0
 * });
 * proxied(server, { trust: ["10.0.0.0/8"] }).listen(8443);
 * ```
 */
export function relay(
  socket: NodeRelaySocket,
  target: NodeRelayTarget,
  options: RelayOptions = {},
): Promise<RelayResult> {
  const facts = factsOf(socket);
  let plan: RelayPlan;
  try {
    plan = readRelayOptions(options);
    checkTarget(target);
    if (facts === undefined || facts.isRelayed) {
      throw new TypeError(
        "Cannot relay the socket: not from proxied() or accept(), or relayed already",
      );
    }
    if (!facts.isAdmitted && facts.ready === undefined) {
      throw new TypeError(
        "Cannot relay the socket: its header has not come, wait for accept()",
      );
    }
  } catch (error) {
    socket.destroy();
    if (isSocket(target)) target.destroy();
    return Promise.reject(error);
  }
  facts.isRelayed = true;
  return new NodeRelay(socket, facts, plan).run(target);
}

/**
 * Begins TLS on a connection: directly after a plain-text header, or later, as
 * STARTTLS does. The TLS session begins with the bytes that arrived with the header.
 * The TLS socket shows the client. {@link proxyInfo} and {@link proxyHop} accept it.
 *
 * By default it is the server, with the options of `new TLSSocket`. With
 * `isServer: false` it is the client, with the options of `tls.connect`. Pass
 * `secureContext` to parse a key only once, and not for every connection.
 *
 * `'secure'` is emitted when the handshake is complete, or `'secureConnect'` as the
 * client. A failed handshake closes the connection. An `'error'` before that needs
 * no listener. The handshake has no time limit, unless you set one with
 * `setTimeout` of the socket.
 *
 * Do not read from the plain socket or write to it after the call. If you have read
 * bytes that belong to TLS, return them with `socket.unshift()` before the call.
 *
 * @returns The TLS socket, or `undefined` if the connection is already closed.
 *
 * @throws {TypeError} for a socket whose header has not arrived. With `lazy`, wait
 * for {@link ready}.
 *
 * @example
 * ```ts ignore
 * import { readFileSync } from "node:fs";
 * import { createServer } from "node:net";
 * import { createSecureContext } from "node:tls";
 * import { proxied, upgradeTls } from "@edgewire/proxy-protocol/node";
 *
 * const secureContext = createSecureContext({
 *   key: readFileSync("key.pem"),
 *   cert: readFileSync("cert.pem"),
 * });
 * const server = createServer((socket) => {
 *   const tls = upgradeTls(socket, { secureContext });
 *   tls?.on("error", console.error);
 *   tls?.once("secure", () => {
 *     console.log(tls.remoteAddress); // 192.0.2.7
 *     tls.end("hello\n");
 *   });
 * });
 * proxied(server, { trust: ["10.0.0.0/8"] }).listen(8443);
 * ```
 */
export function upgradeTls(
  socket: Socket,
  options: NodeUpgradeOptions,
): TLSSocket | undefined {
  const facts = factsOf(socket);
  if (facts !== undefined && !facts.isAdmitted && !socket.destroyed) {
    throw new TypeError(
      "Cannot begin TLS: the header has not come, wait for ready(socket)",
    );
  }
  if (socket.destroyed) return undefined;
  return beginTls(socket, options, facts);
}

/**
 * Returns the state of an accepted socket as plain data, to send to another process
 * with the socket. It has the header, the hop, the addresses that the socket shows,
 * and the payload that was received but not read. In the other process,
 * {@link adopt} restores this state. Sticky load balancing needs this, because a
 * worker that receives a socket sees only the proxy.
 *
 * Send the socket right after the call, and destroy it if sending fails. It is no
 * longer read in this process, and its unread payload is in the result, so that
 * the worker receives every byte once. A second call returns the same data.
 *
 * @throws {TypeError} for a value that is not a socket, and for a socket that
 * was not accepted here or whose header has not arrived yet. Also for a
 * `TLSSocket`, and for a socket with an encoding.
 *
 * @example
 * ```ts ignore
 * import cluster from "node:cluster";
 * import { createServer, Socket } from "node:net";
 * import process from "node:process";
 * import { adopt, exportInfo, proxied } from "@edgewire/proxy-protocol/node";
 *
 * if (cluster.isPrimary) {
 *   const workers = [cluster.fork(), cluster.fork()];
 *   const server = createServer({ pauseOnConnect: true }, (socket) => {
 *     const client = Number(socket.remoteAddress?.split(".").at(-1));
 *     const worker = workers[client % workers.length];
 *     worker?.send({ proxy: exportInfo(socket) }, socket);
 *   });
 *   proxied(server, { trust: ["10.0.0.0/8"] }).listen(8080);
 * } else {
 *   process.on("message", (message: { proxy: unknown }, socket) => {
 *     if (!(socket instanceof Socket)) return; // the client has left
 *     adopt(socket, message.proxy);
 *     socket.end(`hello ${socket.remoteAddress}\n`);
 *   });
 * }
 * ```
 */
export function exportInfo(socket: NodeSocket): ExportedInfo {
  checkSocket(socket);
  return exportSocket(socket);
}

/**
 * Applies the data that {@link exportInfo} returned in another process to a
 * socket that this process has received. The socket then shows the client,
 * {@link proxyInfo} and {@link proxyHop} know it, and the unread payload is
 * read first. Returns the same socket.
 *
 * Call it before anything reads from the socket. Pass only data that your own
 * primary process sent: `trust` and `verify` are not applied again. Pass the
 * `define` of the primary process again, because functions cannot be sent to
 * another process.
 *
 * Packages for sticky sessions send their own messages. Add the data to those
 * messages, and adopt the socket in a listener that runs before the package's
 * listener:
 *
 * ```ts ignore
 * import cluster from "node:cluster";
 * import { Socket } from "node:net";
 * import process from "node:process";
 * import { adopt, exportInfo } from "@edgewire/proxy-protocol/node";
 *
 * function beforeSetupPrimary() { // of @socket.io/sticky
 *   cluster.on("fork", (worker) => {
 *     const { send } = worker;
 *     Object.assign(worker, {
 *       send(message: object, handle: unknown, ...rest: unknown[]) {
 *         const proxy = handle instanceof Socket ? exportInfo(handle) : undefined;
 *         return Reflect.apply(send, worker, [{ ...message, proxy }, handle, ...rest]);
 *       },
 *     });
 *   });
 * }
 *
 * function beforeSetupWorker() {
 *   process.on("message", (message: { proxy: unknown }, socket) => {
 *     if (socket instanceof Socket) adopt(socket, message.proxy);
 *   });
 * }
 * ```
 *
 * @throws {TypeError} for a value that is not a socket, for a socket that was
 * accepted or adopted already, and for data that {@link exportInfo} of the same
 * release did not return. Missing data is an error, and never means a direct
 * client.
 *
 * @example
 * ```ts ignore
 * import { createServer } from "node:http";
 * import { Socket } from "node:net";
 * import process from "node:process";
 * import { adopt } from "@edgewire/proxy-protocol/node";
 *
 * const server = createServer((request, response) => {
 *   response.end(`hello ${request.socket.remoteAddress}\n`);
 * });
 * process.on("message", (message: { proxy: unknown }, socket) => {
 *   if (!(socket instanceof Socket)) return; // the client has left
 *   server.emit("connection", adopt(socket, message.proxy));
 * });
 * ```
 */
export function adopt<S extends NodeSocket>(
  socket: S,
  exported: unknown,
  options: AdoptOptions = {},
): S {
  checkSocket(socket);
  checkNames("options", options, ["define"]);
  adoptSocket(socket, exported, options);
  return socket;
}
