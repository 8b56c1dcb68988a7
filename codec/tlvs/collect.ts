import { tlvText } from "../_text_memory.ts";
import { SSL_FIXED_LENGTH, TLV_HEADER_LENGTH } from "../_wire.ts";
import type { TlvLocations, Tlvs } from "../types.ts";
import {
  fits,
  isNamed,
  isSslSubtype,
  TLV_TYPES,
  tlvHexName,
  tlvRule,
} from "./types.ts";
import { tlvEnd } from "./walk.ts";

/** Records that TLVs are collected into, and the bytes that hold them. */
interface Collection {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  /** Where the first TLV is. */
  readonly start: number;
  readonly tlvs: Tlvs;
  readonly tlv_loc: TlvLocations;
}

/**
 * How much of TLVs was read: all, of two SSL TLVs only the last; all but what
 * does not suit its type; or not to the end.
 */
export type Extent = "all" | "most" | "part";

/**
 * Reads the TLVs from `start` to the end of the bytes into two flat records. The
 * view is of the bytes. Stops at a TLV that does not fit, and leaves out a value
 * that does not suit its type.
 */
export function collectTlvs(
  bytes: Uint8Array,
  view: DataView,
  start: number,
  tlvs: Tlvs,
  tlv_loc: TlvLocations,
): Extent {
  const into: Collection = { bytes, view, start, tlvs, tlv_loc };
  const end = bytes.length;
  const ssl = lastSsl(view, start, end);
  let extent: Extent = "all";
  let at = start;
  let next = tlvEnd(view, at, end);
  for (; next > 0; next = tlvEnd(view, at, end)) {
    const type = view.getUint8(at);
    const value = at + TLV_HEADER_LENGTH;
    if (type === TLV_TYPES.SSL) {
      // The last of two SSL TLVs counts alone: facts of both must not be mixed.
      if (at !== ssl || !collectSsl(into, at, value, next)) extent = "most";
    } else if (!fits(type, next - value)) {
      extent = "most";
    } else if (ssl >= 0 && isSslSubtype(type)) {
      // Beside an SSL TLV, a sub-TLV that stands outside must not pass for one of its facts.
      keepUnnamed(into, type, at, value, next);
    } else {
      keep(into, type, at, value, next);
    }
    at = next;
  }
  return at === end ? extent : "part";
}

/** Where the last SSL TLV is, -1 when there is none. */
function lastSsl(view: DataView, start: number, end: number): number {
  let found = -1;
  let at = start;
  let next = tlvEnd(view, at, end);
  for (; next > 0; next = tlvEnd(view, at, end)) {
    if (view.getUint8(at) === TLV_TYPES.SSL) found = at;
    at = next;
  }
  return found;
}

/** Client bits, verify number, sub-TLVs (section 2.2.6); true when they fill it. */
function collectSsl(
  into: Collection,
  ssl: number,
  fixed: number,
  end: number,
): boolean {
  const { view, start, tlvs, tlv_loc } = into;
  tlvs.SSL = false;
  tlv_loc.SSL = ssl - start;
  if (fixed + SSL_FIXED_LENGTH > end) return false;
  tlvs.SSL_CLIENT = view.getUint8(fixed);
  tlvs.SSL_VERIFY = view.getUint32(fixed + 1);
  let at = fixed + SSL_FIXED_LENGTH;
  let next = tlvEnd(view, at, end);
  for (; next > 0; next = tlvEnd(view, at, end)) {
    const type = view.getUint8(at);
    const value = at + TLV_HEADER_LENGTH;
    if (isSslSubtype(type) && isNamed(type)) {
      keep(into, type, at, value, next);
    } else if (!isNamed(type)) {
      // It does not hide the same type outside.
      const known = tlv_loc[tlvHexName(type)] ?? Infinity;
      if (known > ssl - start) keepUnnamed(into, type, at, value, next);
    }
    at = next;
  }
  tlvs.SSL = at === end;
  return tlvs.SSL;
}

function keepUnnamed(
  { bytes, start, tlvs, tlv_loc }: Collection,
  type: number,
  at: number,
  value: number,
  end: number,
): void {
  const name = tlvHexName(type);
  tlvs[name] = bytes.subarray(value, end);
  tlv_loc[name] = at - start;
}

function keep(
  { bytes, view, start, tlvs, tlv_loc }: Collection,
  type: number,
  at: number,
  value: number,
  end: number,
): void {
  const rule = tlvRule(type);
  switch (rule.kind) {
    case "text":
      rule.store(tlvs, tlv_loc, tlvText(bytes, view, value, end), at - start);
      break;
    case "number":
      rule.store(tlvs, tlv_loc, view.getUint32(value), at - start);
      break;
    case "bytes":
      rule.store(tlvs, tlv_loc, bytes.subarray(value, end), at - start);
  }
}
