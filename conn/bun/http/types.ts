import type { ListenerStats } from "../../types.ts";
import type { BunListenerOptions } from "../types.ts";

/** Address that `requestIP` returns, such as `Bun.SocketAddress`. */
export interface BunSocketAddress {
  /** IP address. */
  address: string;
  /** Port. */
  port: number;
  /** Family of the address. */
  family: "IPv4" | "IPv6";
}

/** Server of `Bun.serve`, for programs without the types of Bun. */
export interface BunPlainServer {
  /** Port that it listens on, or `undefined` for a UNIX socket. */
  readonly port: number | undefined;
  /** Host name that it listens on, or `undefined` for a UNIX socket. */
  readonly hostname: string | undefined;
  /** URL of the server. */
  readonly url: URL;
  /** Protocol: `http` or `https`. */
  readonly protocol: "http" | "https" | null;
  /** Number of requests that wait for their response. */
  readonly pendingRequests: number;
  /** Number of open WebSockets. */
  readonly pendingWebSockets: number;
  /** Returns the client of a request, or `null` if it has no address. */
  requestIP(request: Request): BunSocketAddress | null;
  /** Upgrades a request to a WebSocket. */
  upgrade(request: Request, options?: object): boolean;
  /** Calls `fetch` without a connection. */
  fetch(request: Request | string): Response | Promise<Response>;
  /** Sends to all WebSockets of a topic. */
  publish(topic: string, data: string | ArrayBuffer | ArrayBufferView): number;
  /** Replaces the handlers. */
  reload(options: object): unknown;
  /** Stops listening, and resolves when all connections are closed. */
  stop(closeActiveConnections?: boolean): Promise<void>;
  /** Keeps the process alive. */
  ref(): unknown;
  /** Lets the process end. */
  unref(): unknown;
  /** Stops and closes all connections. */
  [Symbol.dispose](): void;
}

/** Options of `Bun.serve`, for programs without the types of Bun. */
export interface BunPlainOptions {
  /** Port to listen on. By default the port that Bun chooses. */
  port?: number | string;
  /** Host name to listen on. By default all addresses. */
  hostname?: string;
  /** Path of a UNIX socket to listen on. */
  unix?: string;
  /** Options of TLS, which begins after the header. */
  tls?: object;
  /** Answers requests. */
  fetch?(request: Request, server: BunPlainServer): unknown;
  /** Handlers by path. */
  routes?: object;
  /** Handlers of WebSockets. */
  websocket?: object;
  /** Answers when a handler has thrown. */
  error?(error: Error): unknown;
  /** Seconds after which an idle connection is closed. */
  idleTimeout?: number;
  /** Largest body of a request, in bytes. */
  maxRequestBodySize?: number;
}

/** `Bun.serve`, for programs without the types of Bun. */
export type BunPlainServe = <D, R extends string>(
  options: BunPlainOptions,
) => BunPlainServer;

/**
 * `Bun.serve` in a program that has the types of Bun, else {@link BunPlainServe}.
 * It is looked up on the global object, so that the package does not depend on
 * the types of Bun. It is not found if the global `Bun` has the type `any`.
 */
export type BunServe = typeof globalThis extends {
  Bun: { serve: infer S extends (options: never) => object };
} ? ((options: never) => object) extends S ? BunPlainServe : S
  : BunPlainServe;

/**
 * Options of `Bun.serve`. `D` is the data of its WebSockets, `R` the paths of its
 * routes. Both are inferred.
 */
export type BunServeOptions<D, R extends string> = ReturnType<
  (serve: BunServe) => Parameters<typeof serve<D, R>>[0]
>;

/** Server of `Bun.serve`. `D` is the data of its WebSockets. */
export type BunServer<D> = ReturnType<
  (serve: BunServe) => ReturnType<typeof serve<D, never>>
>;

/** Options of {@link proxied} for HTTP: all but `lazy`, because HTTP clients speak first. */
export interface BunHttpProxyOptions extends Omit<BunListenerOptions, "lazy"> {
  /** Not supported, because HTTP servers do not speak first. */
  lazy?: false;
}

/** Options of {@link serveHttp} in addition to those of `Bun.serve`. */
export interface BunHttpOptions {
  /** Peers that may send a header, and all other options of {@link proxied}. */
  proxy: BunHttpProxyOptions;
}

/** Members that {@link serveHttp} adds to a server. */
export interface BunHttpProxied {
  /** Counts of accepted and rejected connections so far. The object is live. */
  readonly stats: ListenerStats;
}
