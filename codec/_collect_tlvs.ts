import { lengthFault } from "./_check_tlvs.ts";
import { decodeText } from "./_text.ts";
import { SSL_FIXED_LENGTH, TLV_HEADER_LENGTH } from "./_wire.ts";
import { isSslSubtype, TLV_TYPES, tlvKind, tlvName } from "./tlv_types.ts";
import type { DecodedTlvs, Tlvs } from "./types.ts";

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
): DecodedTlvs {
  const collected: DecodedTlvs = { tlvs: {}, tlv_loc: {} };
  collect({ bytes, view, origin: start, ...collected }, start, end, false);
  return collected;
}

interface Collection extends DecodedTlvs {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  /** Where the first TLV is. */
  readonly origin: number;
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
    const value = at + TLV_HEADER_LENGTH;
    const next = value + into.view.getUint16(at + 1);
    if (next > end) return false;
    if (isInSsl) {
      if (hasMeaningInSsl(type)) keep(into, type, at, next);
    } else if (type === TLV_TYPES.SSL) {
      keepSsl(into, at, next);
    } else if (lengthFault(type, next - value) === undefined) {
      keep(into, type, at, next);
    }
    at = next;
  }
  return at === end;
}

function keep(
  { bytes, view, origin, tlvs, tlv_loc }: Collection,
  type: number,
  at: number,
  end: number,
): void {
  const record: Record<string, Tlvs[keyof Tlvs]> = tlvs;
  const name = tlvName(type);
  const kind = tlvKind(type);
  const value = at + TLV_HEADER_LENGTH;
  tlv_loc[name] = at - origin;
  record[name] = kind === "number"
    ? view.getUint32(value)
    : kind === "text"
    ? decodeText(bytes.subarray(value, end))
    : bytes.subarray(value, end);
}

/** Client bits, verify number, sub-TLVs (section 2.2.6). */
function keepSsl(into: Collection, at: number, end: number): void {
  const { view, tlvs, tlv_loc } = into;
  // The last of two SSL TLVs counts alone: facts of both must not be mixed.
  if (tlvs.SSL !== undefined) removeSsl(into);
  tlv_loc.SSL = at - into.origin;
  tlvs.SSL = false;
  const fixed = at + TLV_HEADER_LENGTH;
  const subTlvs = fixed + SSL_FIXED_LENGTH;
  if (subTlvs > end) return;
  tlvs.SSL_CLIENT = view.getUint8(fixed);
  tlvs.SSL_VERIFY = view.getUint32(fixed + 1);
  tlvs.SSL = collect(into, subTlvs, end, true);
}

function removeSsl({ tlvs, tlv_loc }: Collection): void {
  const record: Record<string, Tlvs[keyof Tlvs]> = tlvs;
  for (const name of Object.keys(record)) {
    if (!name.startsWith("SSL")) continue;
    delete record[name];
    delete tlv_loc[name];
  }
}

/** Inside SSL, a type that the specification names for outside means nothing. */
function hasMeaningInSsl(type: number): boolean {
  return isSslSubtype(type) || tlvName(type).startsWith("x");
}
