import { viewOf } from "../_block.ts";
import { plainView } from "../_plain_view.ts";
import { TLV_HEADER_LENGTH } from "../_wire.ts";
import { misfitError } from "./check.ts";
import { tlvEnd } from "./walk.ts";
import type { LocatedTlv } from "../types.ts";

/**
 * Reads TLVs one by one as they are on the wire, with their order and duplicates
 * (section 2.2). The bytes are `info.rest`, or those after the first 5 of an SSL
 * value, which are its sub-TLVs. Values are views, not copies.
 *
 * @throws {ProxyProtocolError} code `tlv`, at the first TLV that does not fit.
 * The TLVs before it have been yielded.
 *
 * @example
 * ```ts
 * import { readTlvs } from "@edgewire/proxy-protocol/codec";
 *
 * const [first, second] = readTlvs(Uint8Array.of(0xe0, 0, 1, 7, 0xe0, 0, 0));
 * console.log(first); // { type: 224, offset: 0, value: Uint8Array(1) [ 7 ] }
 * console.log(second?.offset); // 4
 * ```
 */
export function* readTlvs(bytes: Uint8Array): Generator<LocatedTlv> {
  bytes = plainView(bytes);
  const end = bytes.length;
  const view = viewOf(bytes);
  let at = 0;
  let next = tlvEnd(view, at, end);
  for (; next > 0; next = tlvEnd(view, at, end)) {
    yield {
      type: view.getUint8(at),
      offset: at,
      value: bytes.subarray(at + TLV_HEADER_LENGTH, next),
    };
    at = next;
  }
  if (at < end) throw misfitError(bytes, view, at, end);
}

/** TLVs up to one that does not fit. */
export function wholeTlvs(bytes: Uint8Array): LocatedTlv[] {
  const plain = plainView(bytes);
  const view = viewOf(plain);
  const end = plain.length;
  const tlvs: LocatedTlv[] = [];
  let at = 0;
  let next = tlvEnd(view, at, end);
  for (; next > 0; next = tlvEnd(view, at, end)) {
    const value = plain.subarray(at + TLV_HEADER_LENGTH, next);
    tlvs.push({ type: view.getUint8(at), offset: at, value });
    at = next;
  }
  return tlvs;
}
