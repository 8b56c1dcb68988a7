import type { Address, DecodeOptions, ProxyInfo } from "../../codec/mod.ts";
import type { GateOptions, HeaderOptions, ListenerStats } from "../types.ts";

/** What hears an event. */
export type NodeListener = (...args: unknown[]) => void;

/**
 * A socket: `net.Socket` and `tls.TLSSocket` of `node:net` and `node:tls` are
 * such, on every runtime.
 */
export interface NodeSocket {
  /** Address of the peer; absent for UNIX sockets. */
  readonly remoteAddress?: string | undefined;
  /** Port of the peer. */
  readonly remotePort?: number | undefined;
  /** Address of this end; absent for UNIX sockets. */
  readonly localAddress?: string | undefined;
  /** Port of this end. */
  readonly localPort?: number | undefined;
  /** Whether both directions are closed. */
  readonly destroyed: boolean;
  /** Why it was closed, where that was an error. */
  readonly errored?: Error | null | undefined;
  /** Bytes that {@link read} has at hand. */
  readonly readableLength: number;
  /** What bytes are read as, where that is text. */
  readonly readableEncoding?: string | null | undefined;
  /** Whether it flows; `null` before anybody has asked for either. */
  readonly readableFlowing?: boolean | null | undefined;
  /** Whether the end has been read. */
  readonly readableEnded: boolean;
  /** Takes `size` bytes; `null` while there are fewer. */
  read(size?: number): unknown;
  /** Takes what arrives, from the runtime; `null` is the end. */
  push(chunk: unknown): boolean;
  /** Gives bytes back. */
  unshift(bytes: Uint8Array): void;
  /** Makes it flow. */
  resume(): unknown;
  /** Closes both directions. */
  destroy(): unknown;
  /** Adds a listener. */
  on(event: string, listener: NodeListener): unknown;
  /** Removes a listener. */
  off(event: string, listener: NodeListener): unknown;
  /** Calls the listeners. */
  emit(event: string, ...args: unknown[]): boolean;
}

/**
 * A server: those of `node:net`, `node:tls`, `node:http`, `node:https` and
 * `node:http2` are such, on every runtime.
 */
export interface NodeServer {
  /** Whether it listens. */
  readonly listening: boolean;
  /** Most connections at once. */
  maxConnections: number;
  /** Calls the listeners. */
  emit(event: string, ...args: unknown[]): boolean;
  /** Stops listening. */
  close(callback?: (error?: Error) => void): unknown;
  /** Where it listens. */
  address(): unknown;
  /** Counts the connections. */
  getConnections(
    callback: (error: Error | null, count: number) => void,
  ): unknown;
}

/** Options of {@link accept}. */
export interface NodeAcceptOptions<S = NodeSocket> extends HeaderOptions {
  /**
   * Called with each valid header of a trusted peer. Return `true` to accept;
   * any other answer rejects the connection. `timeout` does not apply to it, only
   * `signal`. The socket shows the client already; do not read from it here.
   */
  verify?: (info: ProxyInfo, socket: S) => boolean | Promise<boolean>;
}

/** Options of {@link proxied}. */
export interface NodeListenerOptions<S = NodeSocket>
  extends NodeAcceptOptions<S>, GateOptions {}

/** What {@link accept} resolves to. */
export interface NodeAccepted<S> {
  /** The header; `undefined` where none was looked for or found. */
  info: ProxyInfo | undefined;
  /** The very socket that was given, positioned after the header. */
  conn: S;
}

/** What {@link proxied} adds to a server. */
export interface NodeProxied {
  /** What has been let in and refused so far; the object is live. */
  readonly stats: ListenerStats;
}

/**
 * What {@link exportInfo} returns: plain data, of which JSON and structured
 * clones keep everything. Only {@link adopt} of the same release reads it, so
 * its fields may change.
 */
export interface ExportedInfo {
  /** The form of the other fields. */
  readonly form: string;
  /** Address of the peer: the proxy, or a direct client. */
  readonly hop: Address;
  /** The header; absent if there is none. */
  readonly header?: {
    /** Its bytes in base64. */
    readonly raw: string;
    /** The options by which they were decoded. */
    readonly decode: DecodeOptions;
    /** Whether `header: "discard"` keeps the real addresses. */
    readonly isDiscarded: boolean;
  };
  /** The addresses that the socket shows in place of its own. */
  readonly shown?: {
    readonly remoteAddr: Address;
    readonly localAddr: Address;
  };
  /** Bytes after the header that were received but not read, in base64. */
  readonly payload: string;
}
