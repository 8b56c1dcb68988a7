import { SSL_FIXED_LENGTH, TLV_HEADER_LENGTH } from "../_wire.ts";
import { ProxyProtocolError } from "../error.ts";
import { fits, lengthFault, TLV_TYPES, tlvName, tlvRule } from "./types.ts";
import { tlvEnd } from "./walk.ts";

/**
 * Checks that TLVs fill `start` to `end` exactly and that each value fits its
 * type, as far as the bytes are in: it throws as soon as no bytes that could
 * still come would do (section 2.2). The view is of the bytes.
 */
export function checkTlvs(
  bytes: Uint8Array,
  view: DataView,
  start: number,
  end: number,
): void {
  checkLevel(bytes, view, start, end, true);
}

/** Sub-TLVs of SSL are the last level (section 2.2.6). */
function checkLevel(
  bytes: Uint8Array,
  view: DataView,
  start: number,
  end: number,
  isOuter: boolean,
): void {
  const { length } = bytes;
  if (!canFill(end - start)) throw strayError(bytes, start, end);
  let at = start;
  let next = tlvEnd(view, at, end, length);
  for (; next > 0; next = tlvEnd(view, at, end, length)) {
    const type = view.getUint8(at);
    const value = at + TLV_HEADER_LENGTH;
    if (isOuter && !fits(type, next - value)) {
      throw tlvError(bytes, at, lengthFault(type, next - value));
    }
    if (isOuter && type === TLV_TYPES.SSL) {
      checkLevel(bytes, view, value + SSL_FIXED_LENGTH, next, false);
    }
    if (!canFill(end - next)) throw strayError(bytes, next, end);
    at = next;
  }
  if (at >= end || at >= length) return;
  if (at + TLV_HEADER_LENGTH <= length) {
    throw misfitError(bytes, view, at, end);
  }
  if (!canFollow(bytes, view, at, end, isOuter)) {
    throw tlvError(
      bytes,
      at,
      `${tlvName(view.getUint8(at))} cannot fill ${end - at} bytes`,
    );
  }
}

/** Whether TLVs can fill so many bytes. */
function canFill(length: number): boolean {
  return length === 0 || length >= TLV_HEADER_LENGTH;
}

/** Whether a TLV of which only the type, or the length's high byte too, is in can still become a good one. */
function canFollow(
  bytes: Uint8Array,
  view: DataView,
  at: number,
  end: number,
  isOuter: boolean,
): boolean {
  const type = view.getUint8(at);
  const isHighIn = at + 1 < bytes.length;
  const high = isHighIn ? view.getUint8(at + 1) << 8 : 0;
  const { shortest, longest } = tlvRule(type);
  const least = Math.max(isOuter ? shortest : 0, high);
  const room = end - at - TLV_HEADER_LENGTH;
  const most = Math.min(
    isOuter ? longest : room,
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

/** Why the bytes at `at`, where a walk has stopped, are no TLV. */
export function misfitError(
  bytes: Uint8Array,
  view: DataView,
  at: number,
  end: number,
): ProxyProtocolError {
  const value = at + TLV_HEADER_LENGTH;
  if (value > end) return strayError(bytes, at, end);
  const name = tlvName(view.getUint8(at));
  const length = view.getUint16(at + 1);
  return tlvError(
    bytes,
    at,
    `${name} needs ${length} bytes, ${end - value} left`,
  );
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
