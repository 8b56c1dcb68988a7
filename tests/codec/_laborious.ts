/**
 * Headers that could make a naive reader work over and over.
 *
 * @module
 */

import { BLOCK4, hex, SIGNATURE_HEX } from "./_hex.ts";

/** A TCP4 header with these TLVs. */
export function tcp4(tlvs: string): Uint8Array {
  const length = (12 + tlvs.length / 2).toString(16).padStart(4, "0");
  return hex(SIGNATURE_HEX + "2111" + length + BLOCK4 + tlvs);
}

/** One SSL, in it this many bytes more. */
function ssl(inside: string): string {
  return "20" + (5 + inside.length / 2).toString(16).padStart(4, "0") +
    "0100000000" + inside;
}

/** SSL in SSL, this many levels deep. */
function nested(levels: number): string {
  let digits = "";
  for (let level = 0; level < levels; level++) digits = ssl(digits);
  return digits;
}

const BODIES: readonly [string, (size: number) => string][] = [
  ["empty TLVs", (size) => "e00000".repeat(size / 3)],
  ["empty NOOPs", (size) => "040000".repeat(size / 3)],
  ["sub-TLVs in one SSL", (size) => ssl("210000".repeat(size / 3))],
  ["one SSL behind another", (size) => "2000050100000000".repeat(size / 8)],
  ["SSL in SSL", (size) => nested(Math.floor(size / 8))],
  ["checksums", (size) => "03000400000000".repeat(Math.floor(size / 7))],
  ["one large TLV", (size) => "e0" + size.toString(16) + "00".repeat(size)],
];

/** Names, and headers with TLVs of about a size in bytes: a multiple of 24, at least 4096. */
export const LABORIOUS: readonly [string, (size: number) => Uint8Array][] =
  BODIES.map(([name, bodyOf]) => [name, (size) => tcp4(bodyOf(size))]);
