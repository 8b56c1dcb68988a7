import type { RawTlv, Tlvs } from "../../codec/mod.ts";

/** Options of `relay`. */
export interface RelayOptions {
  /** Version of the header to write to the target. Without it none is written. */
  send?: 1 | 2;
  /**
   * Names of the TLVs to pass on, such as `AUTHORITY` or `xEA`. All by default.
   * SSL goes whole, with its sub-TLVs.
   */
  keep?: readonly string[];
  /** Names of TLVs not to pass on. */
  drop?: readonly string[];
  /**
   * TLVs to write after those passed on. They replace TLVs passed on that have
   * the same type.
   */
  add?: Tlvs | Iterable<RawTlv>;
  /**
   * TLVs to write after those passed on and those of `add`. They replace none, so
   * that a type may occur twice; most receivers use the last one.
   */
  append?: Tlvs | Iterable<RawTlv>;
  /**
   * TLVs to write last, each only if its type is not among those passed on and
   * those of `add` and `append`. A type that `drop` or `keep` removes is absent.
   */
  ifAbsent?: Tlvs | Iterable<RawTlv>;
  /**
   * Give a connection that came without a UNIQUE_ID a random one (section
   * 2.2.5).
   *
   * @default {false}
   */
  uniqueId?: boolean;
  /** `true` adds a CRC32C, `false` leaves it out; one that came is computed anew by default. */
  checksum?: boolean;
  /**
   * How long in ms one direction may stay open after the other has ended. 0
   * closes both together.
   *
   * @default {Infinity}
   */
  halfOpenTimeout?: number;
  /**
   * How long in ms no payload may move in either direction, from the call on. Then
   * both ends are closed, and the `error` of the result has the name
   * `TimeoutError`. The time is exceeded by a quarter at most. Without it a peer
   * that is gone without a word keeps both connections open.
   *
   * @default {Infinity}
   */
  idleTimeout?: number;
  /** Closes both ends when it fires. */
  signal?: AbortSignal;
}

/** What `relay` resolves to. */
export interface RelayResult {
  /** Bytes of payload from the client to the target. */
  sent: number;
  /** Bytes of payload from the target to the client. */
  received: number;
  /** Why it ended, when it was not by the two ends' own closing. */
  error?: unknown;
}
