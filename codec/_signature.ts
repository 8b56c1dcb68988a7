/** What the first bytes say before they are read as a header (sections 2.1 and 2.2). */

import { CR, LF } from "./_ascii.ts";
import { newBlock } from "./_block.ts";
import {
  FIXED_LENGTH,
  LENGTH_AT,
  LINE_SIGNATURE,
  LONGEST_LINE,
  SIGNATURE,
} from "./_wire.ts";

const LINE: readonly number[] = Array.from(
  LINE_SIGNATURE,
  (character) => character.charCodeAt(0),
);

/** The length at a time. */
const field = newBlock(2);

/** How much of a signature bytes begin with, whatever its version. */
export type SignaturePart = "none" | "part" | "whole";

/** Returns whether bytes begin with a signature of v1 or v2, or may still do. */
export function signatureIn(bytes: Uint8Array): SignaturePart {
  const signature = bytes[0] === LINE[0] ? LINE : SIGNATURE;
  const { length } = signature;
  for (let i = 0; i < length && i < bytes.length; i++) {
    if (bytes[i] !== signature[i]) return "none";
  }
  return bytes.length < length ? "part" : "whole";
}

/**
 * Returns the length that a header announces, CRLF of a line included;
 * `undefined` while it is not known. The bytes need not be valid.
 */
export function announcedLength(bytes: Uint8Array): number | undefined {
  if (bytes[0] === SIGNATURE[0]) {
    if (bytes.length < FIXED_LENGTH) return undefined;
    field.bytes[0] = bytes[LENGTH_AT]!;
    field.bytes[1] = bytes[LENGTH_AT + 1]!;
    return FIXED_LENGTH + field.view.getUint16(0);
  }
  const longest = Math.min(bytes.length, LONGEST_LINE);
  for (let end = 2; end <= longest; end++) {
    if (bytes[end - 1] === LF && bytes[end - 2] === CR) return end;
  }
  return undefined;
}
