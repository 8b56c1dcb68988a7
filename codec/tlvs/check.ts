import {
  CHECKSUM_LENGTH,
  LONGEST_TLV_VALUE,
  LONGEST_UNIQUE_ID,
  octet,
  SSL_FIXED_LENGTH,
  TLV_HEADER_LENGTH,
  uint16,
} from "../_wire.ts";
import { ProxyProtocolError } from "../error.ts";
import { TLV_TYPES, tlvName } from "./types.ts";

/** Shortest value of a type, in bytes. */
function shortest(type: number): number {
  switch (type) {
    case TLV_TYPES.CRC32C: // section 2.2.3
      return CHECKSUM_LENGTH;
    case TLV_TYPES.SSL: // section 2.2.6
      return SSL_FIXED_LENGTH;
    default:
      return 0;
  }
}

/** Longest value of a type, in bytes. */
function longest(type: number): number {
  switch (type) {
    case TLV_TYPES.CRC32C: // section 2.2.3
      return CHECKSUM_LENGTH;
    case TLV_TYPES.UNIQUE_ID: // section 2.2.5
      return LONGEST_UNIQUE_ID;
    default:
      return LONGEST_TLV_VALUE;
  }
}

/** Whether a value of this length fits the rules of its type. */
export function fits(type: number, length: number): boolean {
  return length >= shortest(type) && length <= longest(type);
}

/** What a value that does not fit breaks. */
export function lengthFault(type: number, length: number): string {
  return `${tlvName(type)} takes ${shortest(type)} to ${
    longest(type)
  } bytes, received ${length}`;
}

/**
 * Checks that TLVs fill `start` to `end` exactly and that each value fits its
 * type, as far as the bytes are in: it throws as soon as no bytes that could
 * still come would do (section 2.2).
 */
export function checkTlvs(bytes: Uint8Array, start: number, end: number): void {
  checkLevel(bytes, start, end, true);
}

/** Sub-TLVs of SSL are the last level (section 2.2.6). */
function checkLevel(
  bytes: Uint8Array,
  start: number,
  end: number,
  isOuter: boolean,
): void {
  if (!canFill(end - start)) throw strayError(bytes, start, end);
  for (let at = start; at < end;) {
    if (at >= bytes.length) return;
    const type = octet(bytes, at);
    const next = tlvEnd(bytes, at, end);
    if (next < 0) {
      if (!canFollow(bytes, at, end, isOuter)) {
        throw tlvError(
          bytes,
          at,
          `${tlvName(type)} cannot fill ${end - at} bytes`,
        );
      }
      return;
    }
    const value = at + TLV_HEADER_LENGTH;
    if (isOuter && !fits(type, next - value)) {
      throw tlvError(bytes, at, lengthFault(type, next - value));
    }
    if (isOuter && type === TLV_TYPES.SSL) {
      checkLevel(bytes, value + SSL_FIXED_LENGTH, next, false);
    }
    if (!canFill(end - next)) throw strayError(bytes, next, end);
    at = next;
  }
}

/** Whether TLVs can fill so many bytes. */
function canFill(length: number): boolean {
  return length === 0 || length >= TLV_HEADER_LENGTH;
}

/** Whether a TLV of which only the type, or the length's high byte too, is in can still become a good one. */
function canFollow(
  bytes: Uint8Array,
  at: number,
  end: number,
  isOuter: boolean,
): boolean {
  const type = octet(bytes, at);
  const isHighIn = at + 1 < bytes.length;
  const high = octet(bytes, at + 1) << 8;
  const least = Math.max(isOuter ? shortest(type) : 0, high);
  const room = end - at - TLV_HEADER_LENGTH;
  const most = Math.min(
    isOuter ? longest(type) : room,
    isHighIn ? high | 0xff : room,
    room,
  );
  const isSsl = isOuter && type === TLV_TYPES.SSL;
  // One of the first few does: a length that leaves 1 or 2 bytes somewhere is
  // off by less than a TLV's head, twice at most.
  for (let length = least; length <= most; length++) {
    const fills = canFill(room - length) &&
      (!isSsl || canFill(length - SSL_FIXED_LENGTH));
    if (fills) return true;
  }
  return false;
}

/** Where the TLV at `at` ends; -1 when its length is not in yet. */
export function tlvEnd(
  bytes: Uint8Array,
  at: number,
  end: number,
): number {
  const value = at + TLV_HEADER_LENGTH;
  if (value > end) throw strayError(bytes, at, end);
  if (value > bytes.length) return -1;
  const length = uint16(bytes, at + 1);
  if (value + length > end) {
    const name = tlvName(octet(bytes, at));
    throw tlvError(
      bytes,
      at,
      `${name} needs ${length} bytes, ${end - value} left`,
    );
  }
  return value + length;
}

function strayError(
  bytes: Uint8Array,
  at: number,
  end: number,
): ProxyProtocolError {
  return tlvError(
    bytes,
    at,
    `a TLV needs ${TLV_HEADER_LENGTH} bytes, ${end - at} left`,
  );
}

function tlvError(
  bytes: Uint8Array,
  offset: number,
  what: string,
): ProxyProtocolError {
  return new ProxyProtocolError(`Cannot decode TLVs: ${what}`, "tlv", {
    offset,
    version: 2,
    received: bytes,
  });
}
