/**
 * Options of the adapters, and what they report.
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
