/** How much work a header makes, counted: a clock would be flaky. */

import { assert, assertEquals } from "@std/assert";
import { bytesNeeded, decode } from "../../codec/mod.ts";
import { LABORIOUS, tcp4 } from "./_laborious.ts";

/** Reads of multi-byte fields and views made while `run` runs. */
function countCalls(run: () => void): number {
  const { getUint8, getUint16, getUint32, getInt32 } = DataView.prototype;
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
  DataView.prototype.getInt32 = function (at, little) {
    calls++;
    return getInt32.call(this, at, little);
  };
  Uint8Array.prototype.subarray = function (start, end) {
    calls++;
    return subarray.call(this, start, end);
  };
  try {
    run();
  } finally {
    Object.assign(DataView.prototype, {
      getUint8,
      getUint16,
      getUint32,
      getInt32,
    });
    // It is inherited: no own one may stay behind.
    Reflect.deleteProperty(Uint8Array.prototype, "subarray");
  }
  return calls;
}

for (const [name, headerOf] of LABORIOUS) {
  Deno.test(`decode() does work in proportion to ${name}`, () => {
    const options = { maxLength: 65551, checksum: "ignore" } as const;
    const [small, large] = [0x3000, 0xc000].map((size) => {
      const bytes = headerOf(size);
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
  const bytes = tcp4("e00000".repeat(0xc000 / 3));
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
