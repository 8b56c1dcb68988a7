import {
  CHECKSUM_LENGTH,
  LONGEST_UNIQUE_ID,
  SSL_FIXED_LENGTH,
  TLV_HEADER_LENGTH,
} from "./_wire.ts";
import { ProxyProtocolError } from "./error.ts";
import { TLV_TYPES, tlvName } from "./tlv_types.ts";

/** What a value of this length breaks in the rules of its type, if anything. */
export function lengthFault(type: number, length: number): string | undefined {
  if (type === TLV_TYPES.CRC32C && length !== CHECKSUM_LENGTH) {
    return `CRC32C needs ${CHECKSUM_LENGTH} bytes`; // section 2.2.3
  }
  if (type === TLV_TYPES.UNIQUE_ID && length > LONGEST_UNIQUE_ID) {
    return `UNIQUE_ID takes at most ${LONGEST_UNIQUE_ID} bytes`; // section 2.2.5
  }
  if (type === TLV_TYPES.SSL && length < SSL_FIXED_LENGTH) {
    return `SSL needs at least ${SSL_FIXED_LENGTH} bytes`; // section 2.2.6
  }
  return undefined;
}

/**
 * Checks that TLVs fill `start` to `end` exactly and that each value fits its
 * type, as far as the bytes are in (section 2.2).
 */
export function checkTlvs(view: DataView, start: number, end: number): void {
  for (let at = start; at < end;) {
    const next = tlvEnd(view, at, end);
    if (next === undefined) return;
    const type = view.getUint8(at);
    const value = at + TLV_HEADER_LENGTH;
    const fault = lengthFault(type, next - value);
    if (fault !== undefined) {
      throw tlvError(view, at, `${fault}, received ${next - value}`);
    }
    if (type === TLV_TYPES.SSL) checkSubTlvs(view, value, next);
    at = next;
  }
}

/** Checks the sub-TLVs of an SSL TLV: the last level (section 2.2.6). */
function checkSubTlvs(view: DataView, ssl: number, end: number): void {
  for (let at = ssl + SSL_FIXED_LENGTH; at < end;) {
    const next = tlvEnd(view, at, end);
    if (next === undefined) return;
    at = next;
  }
}

/** Where the TLV at `at` ends, `undefined` when its length is not in yet. */
export function tlvEnd(
  view: DataView,
  at: number,
  end: number,
): number | undefined {
  const value = at + TLV_HEADER_LENGTH;
  if (value > end) {
    throw tlvError(
      view,
      at,
      `a TLV needs ${TLV_HEADER_LENGTH} bytes, ${end - at} left`,
    );
  }
  if (value > view.byteLength) return undefined;
  const length = view.getUint16(at + 1);
  if (value + length > end) {
    throw tlvError(
      view,
      at,
      `${tlvName(view.getUint8(at))} needs ${length} bytes, ${
        end - value
      } left`,
    );
  }
  return value + length;
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
