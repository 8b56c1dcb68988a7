import type { RawTlv, Tlvs } from "../../codec/mod.ts";

/** Options of `relay`. */
export interface RelayOptions {
  /**
   * Version of the header to write to the target. Without `send`, no header is
   * written.
   */
  send?: 1 | 2;
  /**
   * Names of the TLVs to forward, such as `AUTHORITY` or `xEA`. All by default.
   * SSL is forwarded with all its sub-TLVs.
   */
  keep?: readonly string[];
  /** Names of TLVs not to forward. */
  drop?: readonly string[];
  /**
   * TLVs to write after the forwarded ones. They replace forwarded TLVs of the
   * same type.
   */
  add?: Tlvs | Iterable<RawTlv>;
  /**
   * TLVs to write after the forwarded ones and those of `add`. They replace
   * none, so a type may occur twice. Most receivers use the last one.
   */
  append?: Tlvs | Iterable<RawTlv>;
  /**
   * TLVs to write last, each only if no forwarded TLV and none of `add` and
   * `append` has its type. A type that `drop` or `keep` removes is absent.
   */
  ifAbsent?: Tlvs | Iterable<RawTlv>;
  /**
   * Adds a random UNIQUE_ID if the received header has none (section 2.2.5).
   *
   * @default {false}
   */
  uniqueId?: boolean;
  /**
   * `true` adds a CRC32C, `false` leaves it out. By default a received CRC32C
   * is recomputed.
   */
  checksum?: boolean;
  /**
   * How long in ms one direction may stay open after the other has ended. 0
   * closes both at once.
   *
   * @default {Infinity}
   */
  halfOpenTimeout?: number;
  /**
   * Time in ms without payload in either direction, from the call on, after
   * which both ends are closed. The `error` of the result is then named
   * `TimeoutError`. They may be closed late, by at most a quarter of that time.
   * Without this option a peer that vanishes silently keeps both connections
   * open.
   *
   * @default {Infinity}
   */
  idleTimeout?: number;
  /** Closes both ends when it fires. */
  signal?: AbortSignal;
}

/** Result of `relay`. */
export interface RelayResult {
  /** Bytes of payload from the client to the target. */
  sent: number;
  /** Bytes of payload from the target to the client. */
  received: number;
  /** Why the relay ended, unless both ends closed in order. */
  error?: unknown;
}
