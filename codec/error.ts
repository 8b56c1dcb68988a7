import { toHex } from "./_hex.ts";
import { hintOf } from "./_hint.ts";
import type { Address } from "./types.ts";

/**
 * Why a header or a connection was rejected. From the codec:
 *
 * - `signature`: the bytes are not a PROXY header of an accepted version
 * - `version`, `command`, `family`, `transport`: an undefined value
 * - `length`: the announced length exceeds the limit or is too short for the
 *   address block
 * - `line`, `address`, `port`: a v1 line that does not match the grammar
 * - `tlv`: TLVs that do not fill the header, or a value that does not fit
 * - `checksum`: CRC32C does not match
 *
 * From the connections:
 *
 * - `untrusted`: the hop may not send a header
 * - `empty`: the peer closed before the first byte, as TCP health checks do
 * - `incomplete`: the peer closed in the middle of the header
 * - `timeout`: no whole header within the deadline
 * - `aborted`: the signal fired
 * - `verify`: `verify` did not return `true`
 * - `overload`: too many connections wait for their header or for `verify`
 * - `io`: the connection failed
 */
export type ProxyProtocolErrorCode =
  | "signature"
  | "version"
  | "command"
  | "family"
  | "transport"
  | "length"
  | "line"
  | "address"
  | "port"
  | "tlv"
  | "checksum"
  | "untrusted"
  | "empty"
  | "incomplete"
  | "timeout"
  | "aborted"
  | "verify"
  | "overload"
  | "io";

/** What a {@link ProxyProtocolError} has in addition to its message. */
export interface ProxyProtocolErrorDetails extends ErrorOptions {
  /** Offset in the header of the wrong byte. Defaults to 0. */
  offset?: number;
  /** Version of the header, if it is known. */
  version?: 1 | 2;
  /** Received bytes. A copy of the first 128 is kept. */
  received?: Uint8Array;
  /** The peer that sent the header. */
  hop?: Address;
}

/** Enough for any v1 line and for the fixed part and first TLVs of v2. */
const KEPT_BYTES = 128;

/**
 * The only error class for faults of a peer. Switch on `code`, never on
 * `message`. The message says what was expected and received, at which byte,
 * and which option accepts it, if any.
 *
 * `console.error` prints the error without `received`. `JSON.stringify` writes
 * all fields, including `message`, with `received` as hex.
 *
 * @example
 * ```ts
 * import { decode, ProxyProtocolError } from "@edgewire/proxy-protocol/codec";
 *
 * try {
 *   decode(new TextEncoder().encode("PROXY TCP4 192.0.2.256"));
 * } catch (error) {
 *   if (!(error instanceof ProxyProtocolError)) throw error;
 *   console.log(error.code, error.offset); // address 21
 * }
 * ```
 */
export class ProxyProtocolError extends Error {
  /** Name of the class. */
  override name = "ProxyProtocolError";
  /** Why the header or connection was rejected. */
  readonly code: ProxyProtocolErrorCode;
  /** Offset in the header of the wrong byte. */
  readonly offset: number;
  /** Version of the header, if it is known. */
  readonly version: 1 | 2 | undefined;
  /**
   * What the bytes are instead of a header, with code `signature`: `"an HTTP
   * request"`, `"a TLS ClientHello"`, `"an SSH banner"` and some others;
   * `undefined` if they are not recognised.
   */
  readonly hint: string | undefined;
  /** The peer that sent the header. Set by connections, not by the codec. */
  hop: Address | undefined;
  readonly #received: Uint8Array;

  /** Makes an error. `details` may have a `cause`. */
  constructor(
    message: string,
    code: ProxyProtocolErrorCode,
    details: ProxyProtocolErrorDetails = {},
  ) {
    super(message, details);
    this.code = code;
    this.offset = details.offset ?? 0;
    this.version = details.version;
    this.#received = Uint8Array.from(
      details.received?.subarray(0, KEPT_BYTES) ?? [],
    );
    this.hint = code === "signature" ? hintOf(this.#received)?.what : undefined;
    this.hop = details.hop;
  }

  /** First bytes received, at most 128, as a copy. */
  get received(): Uint8Array {
    return this.#received;
  }

  /** Returns the object that `JSON.stringify` writes. */
  toJSON(): object {
    const { name, message, code, offset, version, hint, hop } = this;
    const received = toHex(this.#received);
    return { name, message, code, offset, version, hint, hop, received };
  }
}
