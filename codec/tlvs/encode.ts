import { entriesLength, tlvEntries, writeEntries } from "./entries.ts";
import type { RawTlv, Tlvs } from "../types.ts";

/**
 * Encodes TLVs to bytes, in the order of the record or the list (section 2.2).
 *
 * In a record, `SSL: true` writes one SSL TLV with the `SSL_` entries inside;
 * `SSL_CLIENT` defaults to 1 and `SSL_VERIFY` to 1, a TLS client without a
 * verified certificate. `SSL: false` leaves all of it out. A CRC32C is written
 * as it is given: {@link encode} computes it.
 *
 * @throws {TypeError} for an unknown name or a value of the wrong kind, with
 * the field's name.
 * @throws {RangeError} for a value out of its range, with the field's name.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { encodeTlvs } from "@edgewire/proxy-protocol/codec";
 *
 * assertEquals(
 *   encodeTlvs({ ALPN: "h2", xEA: Uint8Array.of(1) }),
 *   Uint8Array.of(0x01, 0, 2, 0x68, 0x32, 0xea, 0, 1, 1),
 * );
 * ```
 */
export function encodeTlvs(tlvs: Tlvs | Iterable<RawTlv>): Uint8Array {
  const entries = tlvEntries(tlvs);
  const bytes = new Uint8Array(entriesLength(entries));
  writeEntries(entries, bytes, 0);
  return bytes;
}
