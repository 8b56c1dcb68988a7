/**
 * Vectors with a few bytes changed. `MUTATIONS=1000000 deno task test` makes a
 * million of them, `SEED` others; a failure names the seed and the bytes.
 */

import { assert } from "@std/assert";
import { concat } from "@std/bytes";
import { type DecodeOptions, ProxyProtocolError } from "../../codec/mod.ts";
import { hex, toHex } from "./_hex.ts";
import { checkOutcome } from "./_outcome.ts";
import { REFUSED } from "./_refusals.ts";
import { ACCEPTED } from "./_vectors.ts";

const MUTATIONS = Number(Deno.env.get("MUTATIONS") ?? 50_000);
const SEED = Number(Deno.env.get("SEED") ?? 20260427);

/** Marsaglia's xorshift, 32 bits: the same numbers for a seed everywhere. */
class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0 || 1;
  }

  /** A whole number from 0 to `limit - 1`. */
  below(limit: number): number {
    let state = this.#state;
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    this.#state = state >>> 0;
    return this.#state % limit;
  }

  pick<T>(items: readonly T[]): T {
    const item = items[this.below(items.length)];
    assert(item !== undefined);
    return item;
  }
}

/** Bytes that mean something somewhere in a header. */
const TELLING = Array.from(hex(
  "000102030405 0a0c0d 10111213 20212231 2e303a 66 7f80 e0 ff",
));

const SEEDS: readonly Uint8Array[] = [...ACCEPTED, ...REFUSED]
  .map(({ bytes }) => bytes).filter(({ length }) => length <= 300);

const OPTIONS: readonly DecodeOptions[] = [
  {},
  {},
  { checksum: "ignore" },
  { tlvs: "lenient" },
  { mixedTcp6: true },
  { unmap: true, checksum: "ignore" },
  { versions: [2], tlvs: "lenient", checksum: "ignore" },
  { mixedTcp6: true, unmap: true, versions: [1] },
  { maxLength: 60 },
];

/** One change: a bit, a byte, some bytes more or less, another header's bytes. */
function change(bytes: Uint8Array, random: Random): Uint8Array {
  const at = random.below(bytes.length + 1);
  const before = bytes.subarray(0, at);
  const after = bytes.subarray(at);
  switch (random.below(7)) {
    case 0: {
      const flipped = bytes.slice();
      flipped[at] = (flipped[at] ?? 0) ^ 1 << random.below(8);
      return flipped;
    }
    case 1:
      return concat([
        before,
        Uint8Array.of(random.pick(TELLING)),
        after.subarray(1),
      ]);
    case 2:
      return concat([before, Uint8Array.of(random.below(256)), after]);
    case 3:
      return concat([before, after.subarray(1 + random.below(4))]);
    case 4:
      return concat([before, after.subarray(0, 1 + random.below(8)), after]);
    case 5:
      return before;
    default: {
      const other = random.pick(SEEDS);
      return concat([before, other.subarray(random.below(other.length))]);
    }
  }
}

/** Makes the announced length that of the bytes, to get past the first checks. */
function repaired(bytes: Uint8Array): Uint8Array {
  if (bytes[0] !== 0x0d || bytes.length < 16) return bytes;
  const copy = bytes.slice();
  new DataView(copy.buffer).setUint16(14, bytes.length - 16);
  return copy;
}

Deno.test("decode() holds its promises for mutated headers", () => {
  const random = new Random(SEED);
  const counts = { accepted: 0, refused: 0, incomplete: 0 };
  for (let round = 0; round < MUTATIONS; round++) {
    let bytes = random.pick(SEEDS);
    for (let left = 1 + random.below(3); left > 0; left--) {
      bytes = change(bytes, random);
    }
    if (random.below(2) === 0) bytes = repaired(bytes);
    const options = random.pick(OPTIONS);
    const cut = random.below(bytes.length + 1);
    const cuts = [random.below(cut + 1), cut];
    try {
      const outcome = checkOutcome(bytes, options, cuts);
      if (outcome === undefined) counts.incomplete++;
      else if (outcome instanceof ProxyProtocolError) counts.refused++;
      else counts.accepted++;
    } catch (cause) {
      throw new Error(
        `Fails at mutation ${round} of seed ${SEED}: ${
          toHex(bytes)
        } cut at ${cuts} with ${JSON.stringify(options)}`,
        { cause },
      );
    }
  }
  // Mutants of one kind only would prove little.
  for (const [kind, count] of Object.entries(counts)) {
    assert(count > MUTATIONS / 20, `${count} ${kind}`);
  }
});
