import type {
  Address,
  DecodeOptions,
  ProxyInfo,
  ProxyProtocolError,
  ProxyProtocolErrorCode,
} from "../../codec/mod.ts";
import type { AcceptOptions } from "../types.ts";

/**
 * Where a datagram came from, as the runtimes report it: the `rinfo` of
 * `node:dgram`, an address of `Deno.listenDatagram`, or `{ address, port }` made
 * from the arguments of `Bun.udpSocket`.
 */
export type DatagramHop =
  | { readonly address: string; readonly port: number }
  | { readonly hostname: string; readonly port: number };

/** Options of `DatagramSessions`, with the leniencies of the codec. */
export interface DatagramSessionsOptions
  extends Pick<AcceptOptions, "trust" | "untrusted">, DecodeOptions {
  /**
   * Which datagrams begin with a header: `"each"` one, or only the `"first"` of a
   * session. `"simple"` reads Cloudflare's Simple Proxy Protocol from each.
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
   * Largest number of sessions by way of proxies, and of direct ones. When one more
   * begins, the one that was idle for longest ends.
   *
   * @default {16384}
   */
  maxSessions?: number;
  /**
   * Called once for each rejected datagram, with its hop and the reason. Without
   * it, only what `trust` or `untrusted` throws is passed to `console.error`.
   */
  onReject?: (error: ProxyProtocolError) => void;
  /** Called once for each session that has ended, to release what you keep for it. */
  onEnd?: (session: DatagramSession) => void;
}

/** What one client sends by way of one port of a hop. */
export interface DatagramSession {
  /** The header; the latest one with `"each"`. `undefined` for direct peers and `"simple"`. */
  readonly info: ProxyInfo | undefined;
  /** The client; the hop itself if there is no header or it names no address. */
  readonly remoteAddr: Address;
  /** What the client sent to, if the header says so. */
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
   * Returns the datagram to send to `replyTo` for an answer to the client: the
   * answer itself, or with `"simple"` the answer after the header that came.
   */
  answer(payload: Uint8Array): Uint8Array;
  /**
   * Ends the session now. Call it with `header: "first"` when the proxy ends its
   * own, such as after the last of the `proxy_responses` of nginx.
   */
  close(): void;
}

/** What `receive` returns. */
export interface ReceivedDatagram {
  /** Whose datagram it is. */
  readonly session: DatagramSession;
  /** What follows the header, or the whole datagram: a view, not a copy. */
  readonly payload: Uint8Array;
}

/** Counts of a `DatagramSessions`. */
export interface DatagramStats {
  /** Sessions that have begun. */
  readonly accepted: number;
  /** Those of them that have no header. */
  readonly direct: number;
  /** Those of them that are the proxy's own, such as health checks. */
  readonly local: number;
  /** Sessions that have not ended. */
  readonly active: number;
  /** Datagrams that were rejected, by the code of the error. */
  readonly rejected: Readonly<Partial<Record<ProxyProtocolErrorCode, number>>>;
}
