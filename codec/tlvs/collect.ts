import { fits } from "./check.ts";
import { decodeText } from "../_text.ts";
import {
  octet,
  SSL_FIXED_LENGTH,
  TLV_HEADER_LENGTH,
  uint16,
  uint32,
} from "../_wire.ts";
import { isNamed, isSslSubtype, TLV_TYPES, tlvHexName } from "./types.ts";
import type { TlvLocations, Tlvs } from "../types.ts";

/** Records that TLVs are collected into, and the bytes they are in. */
interface Collection {
  readonly bytes: Uint8Array;
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
 * Reads the TLVs from `start` on into two flat records: it stops at a TLV that
 * does not fit and leaves out a value that does not suit its type.
 */
export function collectTlvs(
  bytes: Uint8Array,
  start: number,
  tlvs: Tlvs,
  tlv_loc: TlvLocations,
): Extent {
  const into: Collection = { bytes, start, tlvs, tlv_loc };
  const end = bytes.length;
  const ssl = lastSsl(bytes, start);
  let extent: Extent = "all";
  let at = start;
  while (at + TLV_HEADER_LENGTH <= end) {
    const type = octet(bytes, at);
    const next = at + TLV_HEADER_LENGTH + uint16(bytes, at + 1);
    if (next > end) return "part";
    if (type === TLV_TYPES.SSL) {
      // The last of two SSL TLVs counts alone: facts of both must not be mixed.
      if (at !== ssl || !collectSsl(into, at, next)) extent = "most";
    } else if (!fits(type, next - at - TLV_HEADER_LENGTH)) {
      extent = "most";
    } else if (ssl >= 0 && isSslSubtype(type)) {
      // Beside an SSL TLV, a sub-TLV that stands outside must not pass for one of its facts.
      keepUnnamed(into, type, at, next);
    } else {
      keep(into, type, at, next);
    }
    at = next;
  }
  return at === end ? extent : "part";
}

/** Where the last SSL TLV is, -1 when there is none. */
function lastSsl(bytes: Uint8Array, start: number): number {
  let found = -1;
  for (let at = start; at + TLV_HEADER_LENGTH <= bytes.length;) {
    const next = at + TLV_HEADER_LENGTH + uint16(bytes, at + 1);
    if (bytes[at] === TLV_TYPES.SSL && next <= bytes.length) found = at;
    at = next;
  }
  return found;
}

/** Client bits, verify number, sub-TLVs (section 2.2.6); true when they fill it. */
function collectSsl(into: Collection, ssl: number, end: number): boolean {
  const { bytes, start, tlvs, tlv_loc } = into;
  const fixed = ssl + TLV_HEADER_LENGTH;
  tlvs.SSL = false;
  tlv_loc.SSL = ssl - start;
  if (fixed + SSL_FIXED_LENGTH > end) return false;
  tlvs.SSL_CLIENT = octet(bytes, fixed);
  tlvs.SSL_VERIFY = uint32(bytes, fixed + 1);
  let at = fixed + SSL_FIXED_LENGTH;
  while (at + TLV_HEADER_LENGTH <= end) {
    const type = octet(bytes, at);
    const next = at + TLV_HEADER_LENGTH + uint16(bytes, at + 1);
    if (next > end) return false;
    if (isSslSubtype(type) && isNamed(type)) {
      keep(into, type, at, next);
    } else if (!isNamed(type)) {
      // It does not hide the same type outside.
      const known = tlv_loc[tlvHexName(type)] ?? Infinity;
      if (known > ssl - start) keepUnnamed(into, type, at, next);
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
  end: number,
): void {
  const name = tlvHexName(type);
  tlvs[name] = bytes.subarray(at + TLV_HEADER_LENGTH, end);
  tlv_loc[name] = at - start;
}

/** Name by name: to store under a computed name takes four times as long. */
function keep(into: Collection, type: number, at: number, end: number): void {
  const { bytes, tlvs, tlv_loc } = into;
  const offset = at - into.start;
  const value = at + TLV_HEADER_LENGTH;
  switch (type) {
    case TLV_TYPES.ALPN:
      tlvs.ALPN = decodeText(bytes, value, end);
      tlv_loc.ALPN = offset;
      break;
    case TLV_TYPES.AUTHORITY:
      tlvs.AUTHORITY = decodeText(bytes, value, end);
      tlv_loc.AUTHORITY = offset;
      break;
    case TLV_TYPES.CRC32C:
      tlvs.CRC32C = uint32(bytes, value);
      tlv_loc.CRC32C = offset;
      break;
    case TLV_TYPES.NOOP:
      tlvs.NOOP = bytes.subarray(value, end);
      tlv_loc.NOOP = offset;
      break;
    case TLV_TYPES.UNIQUE_ID:
      tlvs.UNIQUE_ID = bytes.subarray(value, end);
      tlv_loc.UNIQUE_ID = offset;
      break;
    case TLV_TYPES.SSL_VERSION:
      tlvs.SSL_VERSION = decodeText(bytes, value, end);
      tlv_loc.SSL_VERSION = offset;
      break;
    case TLV_TYPES.SSL_CN:
      tlvs.SSL_CN = decodeText(bytes, value, end);
      tlv_loc.SSL_CN = offset;
      break;
    case TLV_TYPES.SSL_CIPHER:
      tlvs.SSL_CIPHER = decodeText(bytes, value, end);
      tlv_loc.SSL_CIPHER = offset;
      break;
    case TLV_TYPES.SSL_SIG_ALG:
      tlvs.SSL_SIG_ALG = decodeText(bytes, value, end);
      tlv_loc.SSL_SIG_ALG = offset;
      break;
    case TLV_TYPES.SSL_KEY_ALG:
      tlvs.SSL_KEY_ALG = decodeText(bytes, value, end);
      tlv_loc.SSL_KEY_ALG = offset;
      break;
    case TLV_TYPES.SSL_GROUP:
      tlvs.SSL_GROUP = decodeText(bytes, value, end);
      tlv_loc.SSL_GROUP = offset;
      break;
    case TLV_TYPES.SSL_SIG_SCHEME:
      tlvs.SSL_SIG_SCHEME = decodeText(bytes, value, end);
      tlv_loc.SSL_SIG_SCHEME = offset;
      break;
    case TLV_TYPES.SSL_CLIENT_CERT:
      tlvs.SSL_CLIENT_CERT = bytes.subarray(value, end);
      tlv_loc.SSL_CLIENT_CERT = offset;
      break;
    case TLV_TYPES.NETNS:
      tlvs.NETNS = decodeText(bytes, value, end);
      tlv_loc.NETNS = offset;
      break;
    default:
      keepUnnamed(into, type, at, end);
  }
}
