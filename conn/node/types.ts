import type { IpcNetConnectOpts, Socket, TcpNetConnectOpts } from "node:net";
import type { ConnectionOptions, TLSSocketOptions } from "node:tls";
import type {
  Address,
  DecodeOptions,
  ProxyInfo,
  TlvReader,
} from "../../codec/mod.ts";
import type {
  AcceptOptions,
  ListenerOptions,
  ListenerStats,
} from "../types.ts";

/**
 * A socket of `node:net` or `node:tls`, such as `net.Socket` and `tls.TLSSocket`, on
 * every runtime.
 */
export interface NodeSocket {
  /** Address of the peer. Absent for UNIX sockets. */
  readonly remoteAddress?: string | undefined;
  /** Port of the peer. */
  readonly remotePort?: number | undefined;
  /** Address of this end. Absent for UNIX sockets. */
  readonly localAddress?: string | undefined;
  /** Port of this end. */
  readonly localPort?: number | undefined;
  /** Whether both directions are closed. */
  readonly destroyed: boolean;
  /** Error that closed the socket, if any. */
  readonly errored?: Error | null | undefined;
  /** Number of bytes that {@link read} can return. */
  readonly readableLength: number;
  /** Encoding of the text that is read, if it is not bytes. */
  readonly readableEncoding?: string | null | undefined;
  /** Whether the socket flows. `null` before the first `resume()` or `pause()`. */
  readonly readableFlowing?: boolean | null | undefined;
  /** Whether the end has been read. */
  readonly readableEnded: boolean;
  /** Returns `size` bytes, or `null` if there are fewer. */
  read(size?: number): unknown;
  /** Receives bytes from the runtime. `null` is the end. */
  push(chunk: unknown): boolean;
  /** Puts bytes back to the front of the buffer. */
  unshift(bytes: Uint8Array): void;
  /** Starts the flow. */
  resume(): unknown;
  /** Closes both directions. */
  destroy(): unknown;
  /** Adds a listener. */
  on(event: string, listener: (...args: unknown[]) => void): unknown;
  /** Removes a listener. */
  off(event: string, listener: (...args: unknown[]) => void): unknown;
  /** Calls the listeners. */
  emit(event: string, ...args: unknown[]): boolean;
}

/**
 * A socket that can be relayed, such as `net.Socket` and `tls.TLSSocket`, on every
 * runtime.
 */
export interface NodeRelaySocket extends NodeSocket {
  /** Whether the socket can be written to after the peer has ended its direction. */
  allowHalfOpen: boolean;
  /** Whether the socket is not connected yet. */
  readonly connecting?: boolean;
  /** Bytes that wait to be written. */
  readonly writableLength: number;
  /** Whether everything has been written, including the end. */
  readonly writableFinished: boolean;
  /** Writes bytes. Returns `false` if more bytes wait than the `highWaterMark`. */
  write(bytes: Uint8Array): boolean;
  /** Ends the sending direction, after all that waits to be written. */
  end(done?: () => void): unknown;
  /** Stops the delivery of data. */
  pause(): unknown;
  /** Sets whether small writes are sent at once. */
  setNoDelay?(on: boolean): unknown;
}

/** Target that `relay` connects to: the options of `net.connect`. */
export type NodeRelayAddress = (TcpNetConnectOpts | IpcNetConnectOpts) & {
  /** `true` or the options of `tls.connect`. The header is sent inside TLS. */
  readonly tls?: boolean | ConnectionOptions;
};

/**
 * Target of `relay`: an address, a socket, or a function that connects one. If
 * the socket is not connected yet, or its TLS handshake is not complete,
 * `relay` waits for it.
 */
export type NodeRelayTarget =
  | NodeRelayAddress
  | NodeRelaySocket
  | (() => NodeRelaySocket | Promise<NodeRelaySocket>);

/**
 * Options of `upgradeTls`: those of `new TLSSocket` for the server, those of
 * `tls.connect` for the client.
 */
export type NodeUpgradeOptions =
  | (TLSSocketOptions & {
    /**
     * Whether this end is the server of TLS.
     *
     * @default {true}
     */
    isServer?: true;
  })
  | (ConnectionOptions & { isServer: false });

/**
 * A server of `node:net`, `node:tls`, `node:http`, `node:https` or `node:http2`, on
 * every runtime.
 */
export interface NodeServer {
  /** Whether the server listens. */
  readonly listening: boolean;
  /** Largest number of concurrent connections. */
  maxConnections: number;
  /** Calls the listeners. */
  emit(event: string, ...args: unknown[]): boolean;
  /** Stops listening. */
  close(callback?: (error?: Error) => void): unknown;
  /** Returns the address that it listens on. */
  address(): unknown;
  /** Counts the connections. */
  getConnections(
    callback: (error: Error | null, count: number) => void,
  ): unknown;
}

/** Options of {@link accept}. */
export interface NodeAcceptOptions<S = NodeSocket> extends AcceptOptions<S> {
  /**
   * Called with each valid header of a trusted peer. Return `true` to accept. Any
   * other answer rejects the connection. `timeout` does not apply to it, only
   * `signal`. The socket already shows the client. Do not read from it here. With
   * `lazy` the socket is a view of the application's socket.
   */
  verify?: (info: ProxyInfo, socket: S) => boolean | Promise<boolean>;
  /**
   * `true` sets `encrypted` of a socket if its header says that the client used
   * TLS (`PP2_CLIENT_SSL`, section 2.2.6). Use it behind a balancer that ends TLS.
   * Express, Koa, Fastify and srvx then report `https` and set secure cookies.
   *
   * The connection to this server is still plain text. Set it only if every trusted
   * peer is a proxy that writes the SSL TLV itself. If a proxy forwards headers of
   * clients, or with `header: "optional"`, a plain-text client can claim TLS.
   *
   * Nothing changes for headers without the bit, LOCAL, `header: "discard"` and
   * direct peers. A socket on which this server ends TLS is already encrypted. With
   * `lazy` it changes when the header arrives.
   *
   * @default {false}
   */
  encrypted?: boolean;
}

/**
 * Options of {@link proxied}. `verify` is called with a `net.Socket`, also for
 * servers of TLS. The header arrives before TLS, so there is no certificate yet.
 */
export interface NodeListenerOptions<S = Socket>
  extends NodeAcceptOptions<S>, ListenerOptions<S> {}

/** Result of {@link accept}. */
export interface NodeAccepted<S> {
  /** The header, or `undefined` if none was expected or found. */
  info: ProxyInfo | undefined;
  /** The same socket that was passed, positioned after the header. */
  conn: S;
}

/** Members that {@link proxied} adds to a server. */
export interface NodeProxied {
  /** Counts of accepted and rejected connections so far. The object is live. */
  readonly stats: ListenerStats;
}

/**
 * Result of {@link exportInfo}: plain data, which JSON and structured clones
 * preserve. Only {@link adopt} of the same release reads it, so its fields may
 * change.
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
  /** Whether the option `encrypted` has set `encrypted` of the socket. */
  readonly isEncrypted: boolean;
  /** Bytes after the header that were received but not read, in base64. */
  readonly payload: string;
}

/** Options of {@link adopt}. */
export interface AdoptOptions {
  /**
   * Readers of your own TLVs, as in {@link DecodeOptions.define}. Functions
   * cannot be sent to another process.
   *
   * @default {[]}
   */
  define?: readonly TlvReader[];
}
