import { SSL_FIXED_LENGTH, TLV_HEADER_LENGTH } from "../_wire.ts";
import { ProxyProtocolError } from "../error.ts";
import { fits, lengthsOf, TLV_TYPES, tlvName, tlvRule } from "./types.ts";
import { tlvEnd } from "./walk.ts";

/**
 * Checks that TLVs fill `start` to `end` exactly and that each value fits its type
 * (section 2.2). Bytes may be missing: it throws as soon as no missing bytes could
 * make the TLVs valid. The view is of the bytes.
 */
export function checkTlvs(
  bytes: Uint8Array,
  view: DataView,
  start: number,
  end: number,
  remedy: string,
): void {
  checkLevel({ bytes, view, remedy }, start, end, true);
}

/** Bytes that are checked, and what accepts them if they are wrong. */
interface Checked {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly remedy: string;
}

/** Sub-TLVs of SSL are the last level (section 2.2.6). */
function checkLevel(
  checked: Checked,
  start: number,
  end: number,
  isOuter: boolean,
): void {
  const { bytes, view, remedy } = checked;
  const { length } = bytes;
  if (!canFill(end - start)) throw strayError(bytes, start, end, remedy);
  let at = start;
  let next = tlvEnd(view, at, end, length);
  for (; next > 0; next = tlvEnd(view, at, end, length)) {
    const type = view.getUint8(at);
    const value = at + TLV_HEADER_LENGTH;
    if (isOuter && !fits(type, next - value)) {
      const fault = `${tlvName(type)} of ${next - value} bytes`;
      const expected = `expected ${lengthsOf(type)}`;
      throw tlvError(bytes, at, fault, expected, remedy);
    }
    if (isOuter && type === TLV_TYPES.SSL) {
      checkLevel(checked, value + SSL_FIXED_LENGTH, next, false);
    }
    if (!canFill(end - next)) throw strayError(bytes, next, end, remedy);
    at = next;
  }
  if (at >= end || at >= length) return;
  if (at + TLV_HEADER_LENGTH <= length) {
    throw misfitError(bytes, view, at, end, remedy);
  }
  if (!canFollow(bytes, view, at, end, isOuter)) {
    throw tlvError(
      bytes,
      at,
      tlvName(view.getUint8(at)),
      `no length of it fits the ${end - at} bytes left`,
      remedy,
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

/** Why the bytes at `at`, where a walk has stopped, are no TLV; `remedy` is what accepts them. */
export function misfitError(
  bytes: Uint8Array,
  view: DataView,
  at: number,
  end: number,
  remedy = "",
): ProxyProtocolError {
  const value = at + TLV_HEADER_LENGTH;
  if (value > end) return strayError(bytes, at, end, remedy);
  const name = tlvName(view.getUint8(at));
  const fault = `${name} of ${view.getUint16(at + 1)} bytes`;
  return tlvError(bytes, at, fault, `${end - value} left`, remedy);
}

function strayError(
  bytes: Uint8Array,
  at: number,
  end: number,
  remedy: string,
): ProxyProtocolError {
  const fault = `TLV of ${end - at} bytes`;
  const expected = `expected at least ${TLV_HEADER_LENGTH}`;
  return tlvError(bytes, at, fault, expected, remedy);
}

function tlvError(
  bytes: Uint8Array,
  offset: number,
  fault: string,
  expected: string,
  remedy: string,
): ProxyProtocolError {
  return new ProxyProtocolError(
    `Cannot decode TLVs: ${fault} at byte ${offset}, ${expected}${
      remedy && `; ${remedy}`
    }`,
    "tlv",
    { offset, version: 2, received: bytes },
  );
}
