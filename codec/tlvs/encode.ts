import { newBlock } from "../_block.ts";
import { entriesLength, tlvEntries, writeEntries } from "./entries.ts";
import type { RawTlv, Tlvs } from "../types.ts";

/**
 * Encodes TLVs to bytes, in the order of the record or the list (section 2.2).
 *
 * In a record, `SSL: true` writes one SSL TLV with the `SSL_` entries inside;
 * `SSL_CLIENT` defaults to 1 and `SSL_VERIFY` to 1, a TLS client without a
 * verified certificate. `SSL: false` leaves out the SSL TLV and its `SSL_`
 * entries. A CRC32C is written unchanged, because only {@link encode} can
 * compute it.
 *
 * @throws {TypeError} for an unknown name or a value of the wrong kind, with
 * the field's name.
 * @throws {RangeError} for a value out of its range, with the field's name.
 *
 * @example
 * ```ts
 * import { encodeTlvs } from "@edgewire/proxy-protocol/codec";
 *
 * const bytes = encodeTlvs({ ALPN: "h2", xEA: Uint8Array.of(7) });
 * console.log(bytes); // Uint8Array(9) [ 1, 0, 2, 104, 50, 234, 0, 1, 7 ]
 * ```
 */
export function encodeTlvs(tlvs: Tlvs | Iterable<RawTlv>): Uint8Array {
  const entries = tlvEntries(tlvs);
  const block = newBlock(entriesLength(entries));
  writeEntries(entries, block, 0);
  return block.bytes;
}
