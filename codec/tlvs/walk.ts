import { TLV_HEADER_LENGTH } from "../_wire.ts";

/**
 * Steps from one TLV to the next, for all readers (section 2.2). Returns where the
 * TLV at `at` ends, or -1 if none fits in before `end`. Of a header that is still
 * being read, `received` bytes have arrived. The value starts
 * {@link TLV_HEADER_LENGTH} bytes after `at`.
 *
 * A function, since an object for each walk costs 5 to 25 % of a decode with TLVs.
 */
export function tlvEnd(
  view: DataView,
  at: number,
  end: number,
  received: number = end,
): number {
  const value = at + TLV_HEADER_LENGTH;
  if (value > end || value > received) return -1;
  const next = value + view.getUint16(at + 1);
  return next > end ? -1 : next;
}
