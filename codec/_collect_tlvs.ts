import { lengthFault } from "./_check_tlvs.ts";
import { decodeText } from "./_text.ts";
import { SSL_FIXED_LENGTH, TLV_HEADER_LENGTH } from "./_wire.ts";
import {
  isNamed,
  isSslSubtype,
  TLV_TYPES,
  tlvHexName,
  tlvKind,
  tlvName,
} from "./tlv_types.ts";
import type { DecodedTlvs, TlvLocations, Tlvs } from "./types.ts";

/** TLVs as far as they can be read. */
export interface CollectedTlvs extends DecodedTlvs {
  /** Whether they fill the range exactly. */
  isWhole: boolean;
}

/**
 * Reads the TLVs from `start` to `end` into flat records, without a check: it
 * stops at a TLV that does not fit and leaves out a value that does not suit
 * its type. What {@link checkTlvs} has passed is all there.
 */
export function collectTlvs(
  bytes: Uint8Array,
  view: DataView,
  start: number,
  end: number,
): CollectedTlvs {
  const tlvs: Tlvs = {};
  const tlv_loc: TlvLocations = {};
  const into: Collection = {
    bytes,
    view,
    origin: start,
    record: tlvs,
    tlv_loc,
    inSsl: new Set(),
    strays: [],
  };
  const isWhole = collect(into, start, end, false);
  // Beside an SSL TLV, a sub-TLV that stands outside must not pass for one of its facts.
  for (const [type, at, next] of into.strays) {
    if (tlvs.SSL === undefined) keep(into, type, at, next);
    else keepUnnamed(into, type, at, next);
  }
  return { tlvs, tlv_loc, isWhole };
}

interface Collection {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  /** Where the first TLV is. */
  readonly origin: number;
  readonly record: Record<string, Tlvs[keyof Tlvs]>;
  readonly tlv_loc: TlvLocations;
  /** Names that came from inside the SSL TLV. */
  readonly inSsl: Set<string>;
  /** Type, place and end of sub-TLVs of SSL that stand outside. */
  readonly strays: [number, number, number][];
}

/** Reads one level; true when its TLVs fill the range exactly. */
function collect(
  into: Collection,
  start: number,
  end: number,
  isInSsl: boolean,
): boolean {
  let at = start;
  while (at + TLV_HEADER_LENGTH <= end) {
    const type = into.view.getUint8(at);
    const length = into.view.getUint16(at + 1);
    const next = at + TLV_HEADER_LENGTH + length;
    if (next > end) return false;
    if (isInSsl) {
      keepInSsl(into, type, at, next);
    } else if (type === TLV_TYPES.SSL) {
      keepSsl(into, at, next);
    } else if (isSslSubtype(type) && isNamed(type)) {
      into.strays.push([type, at, next]);
    } else if (lengthFault(type, length) === undefined) {
      keep(into, type, at, next);
    }
    at = next;
  }
  return at === end;
}

function keep(into: Collection, type: number, at: number, end: number): void {
  const { record, tlv_loc, origin } = into;
  const name = tlvName(type);
  const value = at + TLV_HEADER_LENGTH;
  switch (tlvKind(type)) {
    case "number":
      record[name] = into.view.getUint32(value);
      break;
    case "text":
      record[name] = decodeText(into.bytes.subarray(value, end));
      break;
    case "bytes":
      record[name] = into.bytes.subarray(value, end);
  }
  tlv_loc[name] = at - origin;
  into.inSsl.delete(name);
}

/** A sub-TLV of SSL that has no business outside, beside an SSL TLV. */
function keepUnnamed(
  { bytes, record, tlv_loc, origin }: Collection,
  type: number,
  at: number,
  end: number,
): void {
  const name = tlvHexName(type);
  record[name] = bytes.subarray(at + TLV_HEADER_LENGTH, end);
  tlv_loc[name] = at - origin;
}

/** Client bits, verify number, sub-TLVs (section 2.2.6). */
function keepSsl(into: Collection, at: number, end: number): void {
  const { view, record, tlv_loc, inSsl } = into;
  // The last of two SSL TLVs counts alone: facts of both must not be mixed.
  for (const name of inSsl) {
    delete record[name];
    delete tlv_loc[name];
  }
  inSsl.clear();
  const fixed = at + TLV_HEADER_LENGTH;
  const subTlvs = fixed + SSL_FIXED_LENGTH;
  tlv_loc.SSL = at - into.origin;
  record.SSL = false;
  delete record.SSL_CLIENT;
  delete record.SSL_VERIFY;
  if (subTlvs > end) return;
  record.SSL_CLIENT = view.getUint8(fixed);
  record.SSL_VERIFY = view.getUint32(fixed + 1);
  record.SSL = collect(into, subTlvs, end, true);
}

/**
 * Inside SSL, a type that the specification names for outside means nothing,
 * and one without a name does not hide the same type outside.
 */
function keepInSsl(
  into: Collection,
  type: number,
  at: number,
  end: number,
): void {
  const name = tlvName(type);
  const isOuter = isNamed(type) && !isSslSubtype(type);
  const isHidden = name in into.record && !into.inSsl.has(name);
  if (isOuter || isHidden) return;
  keep(into, type, at, end);
  into.inSsl.add(name);
}
