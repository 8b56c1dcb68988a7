/**
 * Types of `serveHttp`. None of them mentions the namespace of Deno, whose own
 * types fit.
 *
 * @module
 */

import type { Address, ProxyInfo } from "../../codec/mod.ts";
import type { ProxiedConn } from "../proxied_conn.ts";
import type { ListenerOptions, ListenerStats } from "../types.ts";

/** A network address, such as `Deno.NetAddr`. */
export interface DenoNetAddr {
  /** Carrier: STREAM is `tcp`, DGRAM is `udp`. */
  transport: "tcp" | "udp";
  /** IPv4 or IPv6 address as text. */
  hostname: string;
  /** Port, 0 to 65535. */
  port: number;
}

/** Address of a UNIX socket, such as `Deno.UnixAddr`. */
export interface DenoUnixAddr {
  /** Carrier: STREAM is `unix`, DGRAM is `unixpacket`. */
  transport: "unix" | "unixpacket";
  /** Path of the socket. */
  path: string;
}

/**
 * Information that a handler receives with a request: the members of Deno, with the
 * client's address, and the decoded header.
 */
export interface DenoHandlerInfo<A = DenoNetAddr> {
  /**
   * Address of the client. It is the proxy itself for LOCAL, UNKNOWN and UNSPEC, and
   * the peer for a direct connection. Its type depends on the listener, as in Deno.
   * The header of a local proxy may also name a UNIX socket. Its address has `path`
   * instead of `hostname` and `port`.
   */
  readonly remoteAddr: A;
  /** Resolves when the response has been sent. Rejects if it could not be sent. */
  readonly completed: Promise<void>;
  /** The header, or `undefined` for a connection without one. */
  readonly proxy: ProxyInfo | undefined;
  /** The peer: the proxy that connected to us, or a direct client. */
  readonly hopAddr: Address;
}

/**
 * Answers requests, like handlers of `Deno.serve` and the `fetch` of
 * frameworks.
 */
export type DenoHandler<A = DenoNetAddr> = (
  request: Request,
  info: DenoHandlerInfo<A>,
) => Response | Promise<Response>;

/**
 * Second argument of `verify`: the header and the addresses of the connection.
 */
export type DenoVerifyConn = Pick<
  ProxiedConn,
  "info" | "hopAddr" | "remoteAddr" | "localAddr"
>;

/**
 * Options for the PROXY header of each connection. `lazy` is missing because
 * HTTP servers do not speak first.
 */
export interface DenoProxyOptions
  extends Omit<ListenerOptions, "lazy" | "verify"> {
  /**
   * Called with each valid header of a trusted peer. Return `true` to accept.
   * Any other answer rejects the connection. `timeout` does not apply to it,
   * only `signal`: a slow check needs its own deadline.
   */
  verify?(info: ProxyInfo, conn: DenoVerifyConn): boolean | Promise<boolean>;
}

/** Options of {@link serveHttp} for every kind of listener. */
export interface DenoServeOptions<A> {
  /** Who may send a header. Required: there is no safe default. */
  proxy: DenoProxyOptions;
  /** Closes the server and all connections when it fires. */
  signal?: AbortSignal;
  /**
   * Called with the error that a handler throws. The response that `onError`
   * returns is sent.
   *
   * @default {logs the error and answers with status 500}
   */
  onError?: (error: unknown) => Response | Promise<Response>;
  /**
   * Called when the server listens, with its public address.
   *
   * @default {logs the address}
   */
  onListen?: (localAddr: A) => void;
  /**
   * Compresses response bodies if the client accepts it.
   *
   * @default {false}
   */
  automaticCompression?: boolean;
}

/** Options of {@link serveHttp} for a TCP listener, with TLS if there is a certificate. */
export interface DenoServeTcpOptions extends DenoServeOptions<DenoNetAddr> {
  /** Kind of the listener. */
  transport?: "tcp";
  /**
   * Port, or 0 for any free port.
   *
   * @default {8000}
   */
  port?: number;
  /**
   * Address or name to listen on.
   *
   * @default {"0.0.0.0"}
   */
  hostname?: string;
  /** Sets `SO_REUSEPORT`. Deno needs `--unstable-net` for it. */
  reusePort?: boolean;
  /**
   * Largest number of connections that the system queues, for the public listener
   * and the internal one. Systems lower it to a limit of their own.
   *
   * @default {4096}
   */
  tcpBacklog?: number;
  /** Format of the certificate and key. */
  keyFormat?: "pem";
  /** Certificate chain in PEM. TLS then begins after the header. */
  cert?: string;
  /** Private key in PEM. */
  key?: string;
}

/** Options of {@link serveHttp} for a listener on a UNIX socket. */
export interface DenoServeUnixOptions extends DenoServeOptions<DenoUnixAddr> {
  /** Kind of the listener. */
  transport?: "unix";
  /** Path of the socket. */
  path: string;
}

/** A handler as one of the options. */
export interface DenoServeInit<A = DenoNetAddr> {
  /** Answers requests. */
  handler: DenoHandler<A>;
}

/** A running server: a `Deno.HttpServer` with counts. */
export interface DenoHttpServer<A = DenoNetAddr> {
  /**
   * Resolves when the server has ended and no connection is left. Rejects if
   * the server has failed.
   */
  readonly finished: Promise<void>;
  /** Public address, which clients and proxies connect to. */
  readonly addr: A;
  /** Connections accepted and rejected so far; the object is live. */
  readonly stats: ListenerStats;
  /** Keeps the process alive, which is the default. */
  ref(): void;
  /** Lets the process end. */
  unref(): void;
  /**
   * Stops listening. Resolves when the requests that had begun are answered.
   */
  shutdown(): Promise<void>;
  /** Shuts down at the end of an `await using` block. */
  [Symbol.asyncDispose](): Promise<void>;
}
