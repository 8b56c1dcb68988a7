import { tlvEnd } from "./check.ts";
import { plainView } from "../_plain_view.ts";
import { octet, TLV_HEADER_LENGTH } from "../_wire.ts";
import type { LocatedTlv } from "../types.ts";

/**
 * Reads TLVs one by one as they are on the wire, order and duplicates kept
 * (section 2.2): those of `info.rest`, or the sub-TLVs that follow the 5 first
 * bytes of an SSL value. Values are views, not copies.
 *
 * @throws {ProxyProtocolError} code `tlv`, at the first TLV that does not fit;
 * those before it have been read.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { readTlvs } from "@edgewire/proxy-protocol/codec";
 *
 * const bytes = Uint8Array.of(0xe0, 0, 1, 7, 0xe0, 0, 0);
 * assertEquals([...readTlvs(bytes)], [
 *   { type: 0xe0, offset: 0, value: Uint8Array.of(7) },
 *   { type: 0xe0, offset: 4, value: new Uint8Array() },
 * ]);
 * ```
 */
export function* readTlvs(bytes: Uint8Array): Generator<LocatedTlv> {
  bytes = plainView(bytes);
  const end = bytes.length;
  for (let at = 0; at < end;) {
    const next = tlvEnd(bytes, at, end);
    yield {
      type: octet(bytes, at),
      offset: at,
      value: bytes.subarray(at + TLV_HEADER_LENGTH, next),
    };
    at = next;
  }
}
