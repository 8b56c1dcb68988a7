/**
 * What the adapters take and give, as small structural types: no namespace of
 * a runtime is mentioned, so that each runtime's own types fit.
 *
 * @module
 */

import type {
  Address,
  DecodeOptions,
  ProxyInfo,
  ProxyProtocolError,
  ProxyProtocolErrorCode,
} from "../codec/mod.ts";
import type { ProxiedConn } from "./proxied_conn.ts";

/** An address as a runtime reports it; `Deno.NetAddr` and `Deno.UnixAddr` are such. */
export interface NativeAddress {
  /** `tcp`, `udp`, `unix` or `unixpacket`. */
  readonly transport: string;
  /** IP address, of network addresses. */
  readonly hostname?: string;
  /** Port, of network addresses. */
  readonly port?: number;
  /** Path, of UNIX addresses; `null` for a client without one. */
  readonly path?: string | null;
}

/**
 * A connection that is read by calls: `Deno.TcpConn`, `Deno.TlsConn` and
 * `Deno.UnixConn` are such.
 */
export interface NativeConn {
  /** Reads at most `p.byteLength` bytes; `null` at the end. */
  read(p: Uint8Array): Promise<number | null>;
  /** Writes some of `p`; how many bytes were taken. */
  write(p: Uint8Array): Promise<number>;
  /** Closes both directions. */
  close(): void;
  /** Ends the sending direction. */
  closeWrite(): Promise<void>;
  /** Keeps the process alive. */
  ref(): void;
  /** Lets the process end. */
  unref(): void;
  /** What arrives. */
  readonly readable: ReadableStream<Uint8Array>;
  /** What is sent. */
  readonly writable: WritableStream<Uint8Array>;
  /** This end. */
  readonly localAddr: NativeAddress;
  /** The peer. */
  readonly remoteAddr: NativeAddress;
}

/**
 * A connection that is a pair of streams: Cloudflare's `Socket`, WinterTC
 * sockets, what `Duplex.toWeb` of Node gives.
 */
export interface ByteDuplex {
  /** What arrives. Read exactly where it is a byte stream. */
  readonly readable: ReadableStream<Uint8Array>;
  /** What is sent. */
  readonly writable: WritableStream<Uint8Array>;
  /** Resolves when the connection is open, with its ends as `ip:port`. */
  readonly opened?: Promise<SocketEnds>;
  /** The peer, where there is no `opened`. Without either only `trust: "any"` or a function can trust it. */
  readonly remoteAddr?: NativeAddress;
  /** This end, where there is no `opened`. */
  readonly localAddr?: NativeAddress;
  /** Closes both directions. */
  close?(): unknown;
}

/** Ends of a socket of Cloudflare or WinterTC, as `ip:port`. */
export interface SocketEnds {
  /** The peer. */
  readonly remoteAddress?: string | undefined;
  /** This end. */
  readonly localAddress?: string | undefined;
}

/** What yields connections: `Deno.Listener` and `Deno.TlsListener` are such. */
export interface NativeListener<C extends NativeConn, A = NativeAddress> {
  /** Waits for the next connection. */
  accept(): Promise<C>;
  /** Stops listening. */
  close(): void;
  /** Keeps the process alive. */
  ref(): void;
  /** Lets the process end. */
  unref(): void;
  /** Where it listens. */
  readonly addr: A;
}

/**
 * Who may send a header:
 *
 * - a list of IP addresses, CIDR ranges and `"unix"` for UNIX sockets.
 *   Mapped addresses match as the IPv4 address they hold, zone ids are
 *   ignored, IPv4 and IPv6 ranges never match each other's addresses;
 * - a function that is asked with the peer's address, mapped ones as IPv4;
 * - `"any"`, for a network in which every peer is a proxy. Whoever can connect
 *   can then claim any address.
 */
export type Trust = readonly string[] | ((hop: Address) => boolean) | "any";

/** Options of every adapter, with the leniencies of the codec. */
export interface HeaderOptions extends DecodeOptions {
  /** Who may send a header. Required: there is no safe default. */
  trust: Trust;
  /**
   * What others get: `"reject"` closes the connection, `"direct"` serves it
   * with its real addresses and never looks for a header.
   *
   * @default {"reject"}
   */
  untrusted?: "reject" | "direct";
  /**
   * What trusted peers must do: `"require"` a header; `"ignore"` takes the
   * header off and keeps the real addresses; `"optional"` also serves a
   * connection that does not begin with one. The specification forbids that
   * guess (section 2): a client that reaches the port through a proxy which
   * sends no header can then forge one.
   *
   * @default {"require"}
   */
  header?: "require" | "optional" | "ignore";
  /**
   * Deadline in ms for the whole header, from the call on, the opening of a
   * socket with `opened` included. It ends with the header. `Infinity` for none.
   *
   * @default {5000}
   */
  timeout?: number;
  /** Closes the connection when it fires before the connection is accepted. */
  signal?: AbortSignal;
}

/** Options of {@link accept}. */
export interface AcceptOptions extends HeaderOptions {
  /**
   * Hands the connection over before its header has come, so that a server
   * which speaks first (SMTP, MySQL, FTP) can greet behind a balancer that
   * holds the header back until the client has sent something, as an AWS
   * Network Load Balancer may.
   *
   * This deviates from the specification, by which nothing is sent before the
   * header is in (section 2), and has a price: whom the greeting goes to is not
   * known, and a header that is refused closes a connection that has been
   * greeted. Writing works at once; reading waits for the header, and for
   * `verify`. Until {@link ProxiedConn.ready} resolves, `info` is `undefined`
   * and the addresses are the hop's: decide nothing by them.
   *
   * @default {false}
   */
  lazy?: boolean;
  /**
   * Asked with every header that was accepted; anything but `true` refuses the
   * connection. `timeout` does not bound it, `signal` alone does: a check that
   * may take long needs a deadline of its own, for its connection is pending
   * until then. With `lazy` it is asked with a connection of its own that shows
   * the client, and must not read from it: the one that was handed over shows
   * the hop until the answer.
   */
  verify?: (
    info: ProxyInfo,
    conn: ProxiedConn,
  ) => boolean | Promise<boolean>;
}

/** What {@link accept} resolves to. */
export interface Accepted<C> {
  /** The header; `undefined` where none was looked for or found, and always with `lazy`. */
  info: ProxyInfo | undefined;
  /** The connection, without the header. */
  conn: ProxiedConn<C>;
}

/** What every `proxied` takes besides. */
export interface GateOptions {
  /**
   * How many headers may be pending at once; the newest connection over it is
   * refused.
   *
   * @default {1024}
   */
  maxPending?: number;
  /**
   * Told once of every connection that was refused, with its hop and reason; a
   * peer that closes without a byte is only counted.
   */
  onReject?: (error: ProxyProtocolError) => void;
}

/** Options of {@link proxied}. */
export interface ListenerOptions extends AcceptOptions, GateOptions {}

/** What a listener has let in and refused so far; the object is live. */
export interface ListenerStats {
  /** Connections that were let in. */
  accepted: number;
  /** Those of them that have no header. */
  direct: number;
  /** Those of them that are the proxy's own, such as health checks. */
  local: number;
  /** Connections whose header is being waited for. */
  pending: number;
  /** Connections that were refused, by the error's code. */
  rejected: Partial<Record<ProxyProtocolErrorCode, number>>;
}
