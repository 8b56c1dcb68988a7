/** How much work a header makes, counted: a clock would be flaky. */

import { assert, assertEquals } from "@std/assert";
import { bytesNeeded, decode } from "../../codec/mod.ts";
import { BLOCK4, hex, SIGNATURE_HEX } from "./_hex.ts";

/** Reads of multi-byte fields and views made while `run` runs. */
function countCalls(run: () => void): number {
  const { getUint8, getUint16, getUint32 } = DataView.prototype;
  const { subarray } = Uint8Array.prototype;
  let calls = 0;
  DataView.prototype.getUint8 = function (at) {
    calls++;
    return getUint8.call(this, at);
  };
  DataView.prototype.getUint16 = function (at, little) {
    calls++;
    return getUint16.call(this, at, little);
  };
  DataView.prototype.getUint32 = function (at, little) {
    calls++;
    return getUint32.call(this, at, little);
  };
  Uint8Array.prototype.subarray = function (start, end) {
    calls++;
    return subarray.call(this, start, end);
  };
  try {
    run();
  } finally {
    Object.assign(DataView.prototype, { getUint8, getUint16, getUint32 });
    // It is inherited: no own one may stay behind.
    Reflect.deleteProperty(Uint8Array.prototype, "subarray");
  }
  return calls;
}

/** A TCP4 header with these TLVs. */
function header(tlvs: string): Uint8Array {
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

/** Bodies that could make a naive reader work over and over. */
const BODIES: readonly [string, (size: number) => string][] = [
  ["empty TLVs", (size) => "e00000".repeat(size / 3)],
  ["empty NOOPs", (size) => "040000".repeat(size / 3)],
  ["sub-TLVs in one SSL", (size) => ssl("210000".repeat(size / 3))],
  ["one SSL behind another", (size) => "2000050100000000".repeat(size / 8)],
  ["SSL in SSL", (size) => nested(Math.floor(size / 8))],
  ["checksums", (size) => "03000400000000".repeat(Math.floor(size / 7))],
  ["one large TLV", (size) => "e0" + size.toString(16) + "00".repeat(size)],
];

for (const [name, bodyOf] of BODIES) {
  Deno.test(`decode() does work in proportion to ${name}`, () => {
    const options = { maxLength: 65551, checksum: "ignore" } as const;
    const [small, large] = [0x3000, 0xc000].map((size) => {
      const bytes = header(bodyOf(size));
      let isWhole = false;
      const calls = countCalls(() => {
        isWhole = decode(bytes, options)?.raw.length === bytes.length;
      });
      assert(isWhole);
      assert(calls > 0);
      return calls;
    });
    assert(small !== undefined && large !== undefined);
    assert(large <= 4 * small + 8, `${small} calls, then ${large}`);
  });
}

Deno.test("bytesNeeded() asks for a header of 64 KiB in 3 reads", () => {
  const bytes = header("e00000".repeat(0xc000 / 3));
  const options = { maxLength: 65551 };
  const lengths: number[] = [];
  let at = 0;
  for (;;) {
    const needed = bytesNeeded(bytes.subarray(0, at), options);
    if (needed === 0) break;
    lengths.push(needed);
    at += needed;
  }
  // The shortest line; what the length's high byte says; what its low byte adds.
  assertEquals(lengths, [15, 1 + 0xc000, 12]);
});
