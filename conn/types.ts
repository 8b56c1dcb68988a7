/**
 * Options of the adapters, and what they report.
 *
 * @module
 */

import type {
  Address,
  DecodeOptions,
  DefinedTlvs,
  ProxyInfo,
  ProxyProtocolError,
  ProxyProtocolErrorCode,
  TlvReader,
} from "../codec/mod.ts";
import type { ProxiedConn } from "./proxied_conn.ts";

/**
 * Says who may send a header:
 *
 * - A list. Its entries are IP addresses, CIDR ranges and these names:
 *   `"loopback"` is 127.0.0.0/8 and ::1. `"private"` is RFC 1918 (10.0.0.0/8,
 *   172.16.0.0/12, 192.168.0.0/16), RFC 4193 (fc00::/7) and the addresses of a
 *   link (169.254.0.0/16, fe80::/10). `"unix"` is every UNIX socket. A mapped
 *   address matches as the IPv4 address that it holds. Zone ids are ignored. IPv4
 *   and IPv6 ranges never match addresses of the other family. A range whose
 *   address has bits set after its prefix, such as `10.1.2.3/8`, is a TypeError.
 *   The list is read once.
 * - A function. It is called for each new connection, so its answers may change
 *   while the server runs. It receives the address of the peer, with a mapped
 *   address as IPv4. {@link trustList} makes such a function from a list. The
 *   function is not called for a peer whose address is unknown. It must return
 *   `true` or `false`. An async function is a TypeError. If the function throws
 *   or returns anything else, the peer is rejected, and the message of the
 *   error says why.
 * - `"any"`, for a network in which every peer is a proxy. Any peer can then
 *   claim any address. Only `"any"` trusts a peer whose address is unknown.
 * - `"none"`, for the first proxy of a chain, with `untrusted: "direct"`: no
 *   peer may send a header.
 */
export type Trust =
  | readonly string[]
  | ((hop: Address) => boolean)
  | "any"
  | "none";

/**
 * Says what happens to peers that may not send a header:
 *
 * - `"reject"` closes the connection.
 * - `"direct"` serves the connection with its real addresses. No header is
 *   read: all bytes are payload.
 * - A list as in {@link Trust}: the listed peers are served directly, all
 *   others are rejected.
 * - A function like that of {@link Trust}, which returns `"reject"` or `"direct"`.
 */
export type Untrusted =
  | "reject"
  | "direct"
  | readonly string[]
  | ((hop: Address) => "reject" | "direct");

/**
 * Options of `accept` on every runtime, and the decoding options of the codec.
 * `C` is the type of connection that `verify` receives.
 */
export interface AcceptOptions<
  C = ProxiedConn,
  R extends TlvReader = TlvReader,
> extends DecodeOptions<R> {
  /** Who may send a header. Required: there is no safe default. */
  trust: Trust;
  /**
   * How peers that may not send a header are handled. With
   * `trust: ["10.0.0.0/8"]` and `untrusted: ["loopback"]`, one listener serves
   * three kinds of peers. The balancer must send a header, this host is served
   * directly, and all others are rejected.
   *
   * @default {"reject"}
   */
  untrusted?: Untrusted;
  /**
   * What trusted peers must send. `"require"`: a header. `"discard"`: a header,
   * which is removed, while the real addresses are kept. `"optional"`: a header
   * or none. The specification forbids `"optional"` (section 2): if a proxy
   * sends no header, its clients can forge one. A header of a version that is
   * not in `versions` is rejected in every mode.
   *
   * @default {"require"}
   */
  header?: "require" | "optional" | "discard";
  /**
   * Deadline in ms for the whole header, counted from the call. It includes the
   * time to open a socket that has `opened`. `Infinity` for no deadline.
   *
   * @default {5000}
   */
  timeout?: number;
  /**
   * Hands the connection over before its header has arrived. A server that
   * speaks first (SMTP, MySQL, FTP) can then greet. Such a server needs `lazy`
   * behind a balancer that withholds the header until the client has sent
   * something, as AWS NLB may.
   *
   * The specification forbids sending before the header has arrived (section
   * 2). You cannot know the client when you write, and a rejected header closes
   * a connection that you have already greeted. Writing works at once. Reading
   * waits for the header and for `verify`. Until then the header is `undefined`
   * and the addresses are those of the hop, so do not use them for decisions.
   * `ready` resolves when the header is known.
   *
   * @default {false}
   */
  lazy?: boolean;
  /** Closes the connection if it fires before the connection is accepted. */
  signal?: AbortSignal;
  /**
   * Called with each valid header of a trusted peer. Return `true` to accept.
   * Any other answer rejects the connection. `timeout` does not apply to it,
   * only `signal`: a slow check needs its own deadline. Until it answers, the
   * connection is pending and counts for `maxPending`. A peer that resets the
   * connection meanwhile is rejected with code `io`.
   *
   * With `lazy`, `verify` receives a separate object that shows the client. The
   * application's connection shows its real addresses until `verify` has
   * accepted. Do not read from either object in `verify`.
   */
  verify?: (
    info: ProxyInfo<DefinedTlvs<R>>,
    conn: C,
  ) => boolean | Promise<boolean>;
}

/** Result of {@link accept}. */
export interface Accepted<C extends object, Defined extends object = object> {
  /**
   * The header; `undefined` if none was expected or found, and always with
   * `lazy`.
   */
  info: ProxyInfo<Defined> | undefined;
  /** The connection, without the header. */
  conn: ProxiedConn<C, Defined>;
}

/** Options of each `proxied`. */
export interface ListenerOptions<
  C = ProxiedConn,
  R extends TlvReader = TlvReader,
> extends AcceptOptions<C, R> {
  /**
   * Largest number of connections that wait at once for their header or for
   * `verify`. When one more connects, the one that has waited longest is
   * rejected with code `overload`, so silent peers cannot block others.
   *
   * @default {1024}
   */
  maxPending?: number;
  /**
   * Called once for each rejected connection, with its hop and the reason. A
   * peer that closes without sending a byte (code `empty`) is only counted. If
   * `onReject` throws, `console.error` is called with the error, because
   * `reportError` would end the process on Deno and Bun. Without `onReject`,
   * only rejections because `trust`, `untrusted` or `verify` threw are passed
   * to `console.error`.
   */
  onReject?: (error: ProxyProtocolError) => void;
}

/** Counts of the connections that a listener has accepted and rejected; the object is live. */
export interface ListenerStats {
  /** Connections that were accepted. */
  accepted: number;
  /** The accepted ones without a header. */
  direct: number;
  /** The accepted ones of the proxy itself, such as health checks. */
  local: number;
  /** Connections that wait for their header or for `verify`. */
  pending: number;
  /** Connections that were rejected, by the code of the error. */
  rejected: Partial<Record<ProxyProtocolErrorCode, number>>;
}
