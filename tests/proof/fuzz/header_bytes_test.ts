/** All values of the 13th and 14th byte, at every length that means something. */

import { assertEquals } from "@std/assert";
import {
  bytesNeeded,
  type DecodeOptions,
  ProxyProtocolError,
} from "../../../codec/mod.ts";
import {
  BLOCK_LENGTHS,
  hex,
  neededBlock,
  SIGNATURE_HEX,
} from "../../codec/_hex.ts";
import { expect } from "./_oracle.ts";
import { outcomeOf } from "./_outcome.ts";

const SIGNATURE = hex(SIGNATURE_HEX);
const EVERY_BYTE = Array.from({ length: 256 }, (_, byte) => byte);
const COMMANDS = [0x20, 0x21];

/** Around the blocks, the limits and what three bytes of TLV leave over. */
const LENGTHS = [
  ...Array.from({ length: 61 }, (_, length) => length),
  ...[107, 128, 129, 211, 213, 214, 215, 216, 217, 218, 219, 222, 255, 256],
  ...[4079, 4080, 4081, 65534, 65535],
];

/** The body is of zeroes: behind the block it is empty TLVs of type 0. */
function headerOf(
  command: number,
  family: number,
  length: number,
): Uint8Array<ArrayBuffer> {
  const header = new Uint8Array(16 + length);
  header.set(SIGNATURE);
  header.set([command, family, length >> 8, length & 0xff], 12);
  return header;
}

/** What sections 2.2 and the limit make of it. */
function expectedKind(
  command: number,
  family: number,
  length: number,
  { maxLength = 4096 }: DecodeOptions,
): string {
  if (command >> 4 !== 2) return "version";
  if ((command & 15) > 1) return "command";
  const isProxy = command === 0x21;
  const block = BLOCK_LENGTHS.get(family) ?? 0;
  const needed = neededBlock(family);
  if (isProxy && needed === undefined) {
    return family > 0x3f ? "family" : "transport";
  }
  const least = isProxy ? needed ?? 0 : 0;
  if (16 + length > maxLength || length < least) return "length";
  // With no room for it there is no block, and nothing to be strict about.
  const isStrict = isProxy && block > 0 && length >= block;
  return isStrict && (length - block) % 3 !== 0 ? "tlv" : "accepted";
}

function kindOf(bytes: Uint8Array, options: DecodeOptions): string {
  const outcome = outcomeOf(bytes, options);
  if (outcome === undefined) return "incomplete";
  return outcome instanceof ProxyProtocolError ? outcome.code : "accepted";
}

/** The whole header, its fixed part alone, all but its last byte. */
function check(
  command: number,
  family: number,
  length: number,
  options: DecodeOptions,
): void {
  const header = headerOf(command, family, length);
  const name = `${header.subarray(12, 16).toHex()} with ${
    JSON.stringify(options)
  }`;
  const expected = expectedKind(command, family, length, options);
  const isAccepted = expected === "accepted";
  assertEquals(kindOf(header, options), expected, name);
  assertEquals(expect(header, options) !== undefined, isAccepted, name);
  const fixed = header.subarray(0, 16);
  if (isAccepted) {
    if (length === 0) return;
    assertEquals(kindOf(fixed, options), "incomplete", name);
    assertEquals(bytesNeeded(fixed, options), length, name);
    assertEquals(bytesNeeded(header.subarray(0, -1), options), 1, name);
  } else {
    // What is over shows behind the last TLV; where there is none, at once.
    const hasTlv = length - (BLOCK_LENGTHS.get(family) ?? 0) >= 3;
    const isLate = expected === "tlv" && hasTlv;
    assertEquals(
      kindOf(fixed, options),
      isLate ? "incomplete" : expected,
      name,
    );
  }
}

Deno.test("decode() knows all pairs of a command byte and a family byte", () => {
  for (const command of EVERY_BYTE) {
    for (const family of EVERY_BYTE) check(command, family, 12, {});
  }
});

for (const options of [{}, { maxLength: 65551 }]) {
  const limit = options.maxLength ?? "default";
  Deno.test(`decode() knows all family bytes at every length, up to the limit of ${limit}`, () => {
    for (const family of EVERY_BYTE) {
      for (const length of LENGTHS) {
        for (const command of COMMANDS) check(command, family, length, options);
      }
    }
  });
}

Deno.test("decode() knows all command bytes at every length", () => {
  for (const command of EVERY_BYTE) {
    for (const length of LENGTHS) check(command, 0x21, length, {});
  }
});
