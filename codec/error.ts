import { toHex } from "./_hex.ts";
import { hintOf } from "./_hint.ts";
import type { Address } from "./types.ts";

/**
 * Why a header or a connection was rejected. From the codec:
 *
 * - `signature`: the bytes are not a PROXY header of an accepted version
 * - `version`, `command`, `family`, `transport`: an undefined value
 * - `length`: the announced length is over the limit or under the address block
 * - `line`, `address`, `port`: a v1 line that does not match the grammar
 * - `tlv`: TLVs that do not fill the header, or a value that does not fit
 * - `checksum`: CRC32C does not match
 *
 * From the connections:
 *
 * - `untrusted`: the hop may not send a header
 * - `empty`: closed before the first byte, as TCP health checks do
 * - `incomplete`: closed in the middle of the header
 * - `timeout`: no whole header within the deadline
 * - `aborted`: the signal fired
 * - `verify`: the `verify` hook rejected
 * - `overload`: too many headers are pending
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

/** What a {@link ProxyProtocolError} has besides its message. */
export interface ProxyProtocolErrorDetails extends ErrorOptions {
  /** Byte of the header where it went wrong. Defaults to 0. */
  offset?: number;
  /** Version of the header, if it is known. */
  version?: 1 | 2;
  /** What was received; its first 128 bytes are kept, as a copy. */
  received?: Uint8Array;
  /** The peer that sent it. */
  hop?: Address;
}

/** Enough for any v1 line and for the fixed part and first TLVs of v2. */
const KEPT_BYTES = 128;

/**
 * The one error for what a peer sent or did. Switch on `code`, never on the
 * message, which says what was expected and received, at which byte, and which
 * option accepts it, if one does.
 *
 * `console.error` prints it without `received`. `JSON.stringify` writes all
 * fields, the message included, and `received` as hex.
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
  /** Why it was rejected. */
  readonly code: ProxyProtocolErrorCode;
  /** Byte of the header where it went wrong. */
  readonly offset: number;
  /** Version of the header, if it is known. */
  readonly version: 1 | 2 | undefined;
  /**
   * What the bytes are instead of a header, with code `signature`: `"an HTTP
   * request"`, `"a TLS ClientHello"`, `"an SSH banner"` and some others;
   * `undefined` if they are not recognised.
   */
  readonly hint: string | undefined;
  /** The peer that sent it; set by the connections. */
  hop: Address | undefined;
  readonly #received: Uint8Array;

  /** Makes an error; `cause` is among the details. */
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

  /** Returns what `JSON.stringify` writes. */
  toJSON(): object {
    const { name, message, code, offset, version, hint, hop } = this;
    const received = toHex(this.#received);
    return { name, message, code, offset, version, hint, hop, received };
  }
}
