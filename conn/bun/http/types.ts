import type { ListenerStats } from "../../types.ts";
import type { BunListenerOptions } from "../types.ts";

/** An address as `requestIP` gives it; `Bun.SocketAddress` is such. */
export interface BunSocketAddress {
  /** IP address. */
  address: string;
  /** Port. */
  port: number;
  /** Family of the address. */
  family: "IPv4" | "IPv6";
}

/** The server of `Bun.serve`, as far as it is described without the types of Bun. */
export interface BunPlainServer {
  /** Port that it listens on; `undefined` for a UNIX socket. */
  readonly port: number | undefined;
  /** Host name that it listens on; `undefined` for a UNIX socket. */
  readonly hostname: string | undefined;
  /** Where it is reached. */
  readonly url: URL;
  /** `http` or `https`. */
  readonly protocol: "http" | "https" | null;
  /** Requests that wait for their response. */
  readonly pendingRequests: number;
  /** WebSockets that are open. */
  readonly pendingWebSockets: number;
  /** The client of a request; `null` if it has no address. */
  requestIP(request: Request): BunSocketAddress | null;
  /** Makes a WebSocket of a request. */
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

/** The options of `Bun.serve`, as far as they are described without the types of Bun. */
export interface BunPlainOptions {
  /** Port to listen on; that of Bun's default if there is none. */
  port?: number | string;
  /** Host name to listen on; all addresses if there is none. */
  hostname?: string;
  /** Path of a UNIX socket to listen on. */
  unix?: string;
  /** TLS, which begins after the header. */
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

/** `Bun.serve`, as far as it is described without the types of Bun. */
export type BunPlainServe = <D, R extends string>(
  options: BunPlainOptions,
) => BunPlainServer;

/**
 * `Bun.serve` in a program that has the types of Bun, else {@link BunPlainServe}.
 * It is looked up on the global object, so that the package does not depend on
 * the types of Bun. Nothing is found in an object of type `any`.
 */
export type BunServe = typeof globalThis extends {
  Bun: { serve: infer S extends (options: never) => object };
} ? ((options: never) => object) extends S ? BunPlainServe : S
  : BunPlainServe;

/**
 * The options of `Bun.serve`: `D` is the data of its WebSockets, `R` the paths of
 * its routes. Both are inferred.
 */
export type BunServeOptions<D, R extends string> = ReturnType<
  (serve: BunServe) => Parameters<typeof serve<D, R>>[0]
>;

/** The server of `Bun.serve`: `D` is the data of its WebSockets. */
export type BunServer<D> = ReturnType<
  (serve: BunServe) => ReturnType<typeof serve<D, never>>
>;

/** Options of {@link proxied} that hold for HTTP: all but `lazy`, since HTTP clients speak first. */
export interface BunHttpProxyOptions extends Omit<BunListenerOptions, "lazy"> {
  /** Never: a server of HTTP does not speak first. */
  lazy?: false;
}

/** What {@link serveHttp} needs besides the options of `Bun.serve`. */
export interface BunHttpOptions {
  /** Who may send a header, and all other options of {@link proxied}. */
  proxy: BunHttpProxyOptions;
}

/** What {@link serveHttp} adds to a server. */
export interface BunHttpProxied {
  /** What has been let in and rejected so far; the object is live. */
  readonly stats: ListenerStats;
}
