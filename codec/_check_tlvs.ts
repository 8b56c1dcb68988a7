import {
  CHECKSUM_LENGTH,
  LONGEST_TLV_VALUE,
  LONGEST_UNIQUE_ID,
  SSL_FIXED_LENGTH,
  TLV_HEADER_LENGTH,
} from "./_wire.ts";
import { ProxyProtocolError } from "./error.ts";
import { TLV_TYPES, tlvName } from "./tlv_types.ts";

/** Shortest and longest value of each type with a rule of its own. */
const LENGTHS: ReadonlyMap<number, readonly [number, number]> = new Map([
  [TLV_TYPES.CRC32C, [CHECKSUM_LENGTH, CHECKSUM_LENGTH]], // section 2.2.3
  [TLV_TYPES.UNIQUE_ID, [0, LONGEST_UNIQUE_ID]], // section 2.2.5
  [TLV_TYPES.SSL, [SSL_FIXED_LENGTH, LONGEST_TLV_VALUE]], // section 2.2.6
]);

const ANY_LENGTH = [0, LONGEST_TLV_VALUE] as const;

/** What a value of this length breaks in the rules of its type, if anything. */
export function lengthFault(type: number, length: number): string | undefined {
  const lengths = LENGTHS.get(type);
  if (lengths === undefined) return undefined;
  const [shortest, longest] = lengths;
  if (length >= shortest && length <= longest) return undefined;
  return `${
    tlvName(type)
  } takes ${shortest} to ${longest} bytes, received ${length}`;
}

/**
 * Checks that TLVs fill `start` to `end` exactly and that each value fits its
 * type, as far as the bytes are in: it throws as soon as no bytes that could
 * still come would do (section 2.2).
 */
export function checkTlvs(view: DataView, start: number, end: number): void {
  checkLevel(view, start, end, true);
}

/** Sub-TLVs of SSL are the last level (section 2.2.6). */
function checkLevel(
  view: DataView,
  start: number,
  end: number,
  isOuter: boolean,
): void {
  if (!canFill(end - start)) throw strayError(view, start, end);
  for (let at = start; at < end;) {
    if (at >= view.byteLength) return;
    const type = view.getUint8(at);
    const next = tlvEnd(view, at, end);
    if (next === undefined) {
      if (!canFollow(view, at, end, isOuter)) {
        throw tlvError(
          view,
          at,
          `${tlvName(type)} cannot fill ${end - at} bytes`,
        );
      }
      return;
    }
    const value = at + TLV_HEADER_LENGTH;
    const fault = isOuter ? lengthFault(type, next - value) : undefined;
    if (fault !== undefined) throw tlvError(view, at, fault);
    if (isOuter && type === TLV_TYPES.SSL) {
      checkLevel(view, value + SSL_FIXED_LENGTH, next, false);
    }
    if (!canFill(end - next)) throw strayError(view, next, end);
    at = next;
  }
}

/** Whether TLVs can fill so many bytes. */
function canFill(length: number): boolean {
  return length === 0 || length >= TLV_HEADER_LENGTH;
}

/** Whether a TLV of which only the type, or the length's high byte too, is in can still become a good one. */
function canFollow(
  view: DataView,
  at: number,
  end: number,
  isOuter: boolean,
): boolean {
  const type = view.getUint8(at);
  const [shortest, longest] = isOuter && LENGTHS.get(type) || ANY_LENGTH;
  const high = at + 1 < view.byteLength
    ? view.getUint8(at + 1) << 8
    : undefined;
  const least = Math.max(shortest, high ?? 0);
  const room = end - at - TLV_HEADER_LENGTH;
  const most = Math.min(longest, (high ?? 0xff00) | 0xff, room);
  const isSsl = isOuter && type === TLV_TYPES.SSL;
  // A length that leaves 1 or 2 bytes somewhere is off by less than a TLV's head, twice at most.
  for (let length = least; length <= most; length++) {
    const fills = canFill(room - length) &&
      (!isSsl || canFill(length - SSL_FIXED_LENGTH));
    if (fills) return true;
    if (length > least + 2 * TLV_HEADER_LENGTH) break;
  }
  return false;
}

/** Where the TLV at `at` ends, `undefined` when its length is not in yet. */
export function tlvEnd(
  view: DataView,
  at: number,
  end: number,
): number | undefined {
  const value = at + TLV_HEADER_LENGTH;
  if (value > end) throw strayError(view, at, end);
  if (value > view.byteLength) return undefined;
  const length = view.getUint16(at + 1);
  if (value + length > end) {
    const name = tlvName(view.getUint8(at));
    throw tlvError(
      view,
      at,
      `${name} needs ${length} bytes, ${end - value} left`,
    );
  }
  return value + length;
}

function strayError(
  view: DataView,
  at: number,
  end: number,
): ProxyProtocolError {
  return tlvError(
    view,
    at,
    `a TLV needs ${TLV_HEADER_LENGTH} bytes, ${end - at} left`,
  );
}

function tlvError(
  view: DataView,
  offset: number,
  what: string,
): ProxyProtocolError {
  return new ProxyProtocolError(`Cannot decode TLVs: ${what}`, "tlv", {
    offset,
    version: 2,
    received: new Uint8Array(view.buffer, view.byteOffset, view.byteLength),
  });
}
