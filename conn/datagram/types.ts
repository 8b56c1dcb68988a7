import type {
  Address,
  DecodeOptions,
  ProxyInfo,
  ProxyProtocolError,
  ProxyProtocolErrorCode,
} from "../../codec/mod.ts";
import type { AcceptOptions } from "../types.ts";

/**
 * Sender of a datagram, as the runtimes report it: the `rinfo` of `node:dgram`,
 * an address of `Deno.listenDatagram`, or `{ address, port }` made from the
 * arguments of `Bun.udpSocket`.
 */
export type DatagramHop =
  | { readonly address: string; readonly port: number }
  | { readonly hostname: string; readonly port: number };

/** Options of `DatagramSessions`, and the decoding options of the codec. */
export interface DatagramSessionsOptions
  extends Pick<AcceptOptions, "trust" | "untrusted">, DecodeOptions {
  /**
   * Which datagrams begin with a header: `"each"` datagram, or only the
   * `"first"` one of a session. `"simple"` reads Cloudflare's Simple Proxy
   * Protocol from each.
   *
   * @default {"each"}
   */
  header?: "each" | "first" | "simple";
  /**
   * Time in ms after which a session without datagrams ends; `Infinity` for
   * never. With `header: "first"`, set it to the session timeout of the proxy
   * (`proxy_timeout` of nginx). If it is shorter, later datagrams of a quiet client
   * are rejected. If it is longer, a new client can get the port of an old one, and
   * its header is then read as payload of the old client.
   *
   * @default {60000}
   */
  idleTimeout?: number;
  /**
   * Largest number of sessions through proxies, and of direct sessions. When
   * one more begins, the session that was idle longest ends.
   *
   * @default {16384}
   */
  maxSessions?: number;
  /**
   * Called once for each rejected datagram, with its hop and the reason.
   * Without `onReject`, only errors that `trust` or `untrusted` throws are
   * passed to `console.error`.
   */
  onReject?: (error: ProxyProtocolError) => void;
  /**
   * Called once for each session that has ended, so that you can release its
   * data.
   */
  onEnd?: (session: DatagramSession) => void;
}

/** All datagrams of one client through one port of a hop. */
export interface DatagramSession {
  /** The header; the latest one with `"each"`. `undefined` for direct peers and `"simple"`. */
  readonly info: ProxyInfo | undefined;
  /**
   * The client, or the hop itself if there is no header or the header has no
   * addresses.
   */
  readonly remoteAddr: Address;
  /** The address that the client sent to, if the header has it. */
  readonly localAddr: Address | undefined;
  /** The proxy that sent the datagram to us, or a direct peer. */
  readonly hop: Address;
  /** Where to send answers: the hop's address exactly as the runtime reported it. */
  readonly replyTo: {
    readonly transport: "udp";
    readonly hostname: string;
    readonly port: number;
  };
  /**
   * Returns the datagram to send to `replyTo` for an answer to the client. This
   * is the answer itself. With `"simple"` it is the received header and the
   * answer.
   */
  answer(payload: Uint8Array): Uint8Array;
  /**
   * Ends the session now. With `header: "first"`, call it when the proxy ends
   * its own session, such as after the last of the `proxy_responses` of nginx.
   */
  close(): void;
}

/** Result of `receive`: a datagram that was not rejected. */
export interface ReceivedDatagram {
  /** Session of the datagram. */
  readonly session: DatagramSession;
  /**
   * Bytes after the header, or the whole datagram without one. A view, not a
   * copy.
   */
  readonly payload: Uint8Array;
}

/** Counts of a `DatagramSessions`. */
export interface DatagramStats {
  /** Sessions that have begun. */
  readonly accepted: number;
  /** The accepted ones without a header. */
  readonly direct: number;
  /** The accepted ones of the proxy itself, such as health checks. */
  readonly local: number;
  /** Sessions that have not ended. */
  readonly active: number;
  /** Datagrams that were rejected, by the code of the error. */
  readonly rejected: Readonly<Partial<Record<ProxyProtocolErrorCode, number>>>;
}
