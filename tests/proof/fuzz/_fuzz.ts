/**
 * Inputs that a seed and a number decide, checked one after the other and
 * counted by outcome.
 *
 * @module
 */

import { type DecodeOptions, ProxyProtocolError } from "../../../codec/mod.ts";
import { toHex } from "../../codec/_hex.ts";
import { REFUSED } from "../../codec/_refusals.ts";
import { ACCEPTED } from "../../codec/_vectors.ts";
import { validHeader } from "./_header.ts";
import { mutated } from "./_mutate.ts";
import { checkInput, type Input, type Outcome } from "./_outcome.ts";
import { Random } from "./_random.ts";

/** Longest vector to start from, in bytes: a longer one is mostly more of the same. */
const LONGEST_START = 1500;

/** Captured headers, those of the specification, those that break it. */
const STARTS: readonly Uint8Array<ArrayBuffer>[] = [...ACCEPTED, ...REFUSED]
  .filter(({ bytes }) => bytes.length <= LONGEST_START)
  .map(({ bytes }) => Uint8Array.from(bytes));

const OPTIONS: readonly DecodeOptions[] = [
  {},
  {},
  {},
  {},
  {},
  {},
  { checksum: "ignore" },
  { tlvs: "lenient" },
  { tlvs: "lenient", checksum: "ignore" },
  { mixedTcp6: true },
  { mixedTcp6: true, unmap: true },
  { unmap: true, checksum: "ignore" },
  { versions: [2], tlvs: "lenient", checksum: "ignore" },
  { versions: [1], mixedTcp6: true, unmap: true },
  { maxLength: 60 },
  { maxLength: 65551 },
];

/** How many inputs came to what. */
export type Counts = Record<string, number>;

/** Which inputs to check. */
export interface Share {
  seed: number;
  /** Number of the first one. */
  from: number;
  /** How many. */
  count: number;
  /** Look at every prefix, not only at one. */
  everyCut?: boolean;
}

/** The input of a number. */
export function inputOf(seed: number, index: number, everyCut = false): Input {
  const random = new Random(seed, index);
  const start = () =>
    random.oneIn(3) ? validHeader(random) : random.pick(STARTS);
  const first = start();
  const bytes = random.oneIn(16) ? first : mutated(first, start, random);
  const cuts = everyCut
    ? Array.from({ length: bytes.length + 1 }, (_, length) => length)
    : [random.below(bytes.length + 1)];
  const more = random.bytes(random.pick([0, 0, 0, 1, 20]));
  return {
    bytes,
    options: random.pick(OPTIONS),
    cuts,
    more,
    isThorough: everyCut || random.oneIn(8),
  };
}

/**
 * Checks a share, as `checkInput()` does.
 *
 * @throws {Error} at the first input that breaks a promise, which it names.
 */
export function fuzz(
  { seed, from, count, everyCut }: Share,
  check: (input: Input) => Outcome = checkInput,
): Counts {
  const counts: Counts = {};
  for (let index = from; index < from + count; index++) {
    const input = inputOf(seed, index, everyCut);
    const outcome = kindOf(input, check, `input ${index} of seed ${seed}`);
    counts[outcome] = (counts[outcome] ?? 0) + 1;
  }
  return counts;
}

/** What an input came to; a failure says which one it was. */
function kindOf(
  input: Input,
  check: (input: Input) => Outcome,
  name: string,
): string {
  try {
    const outcome = check(input);
    if (outcome === undefined) return "incomplete";
    return outcome instanceof ProxyProtocolError ? outcome.code : "accepted";
  } catch (cause) {
    const { bytes, options, cuts, more } = input;
    const how = `with ${JSON.stringify(options)}, ` +
      `cut at ${cuts.length > 1 ? "every byte" : cuts}, ` +
      `followed by ${toHex(more) || "nothing"}`;
    throw new Error(`${cause}\n  ${name}: ${toHex(bytes)}\n  ${how}`, {
      cause,
    });
  }
}

/** Adds counts up. */
export function sum(parts: readonly Counts[]): Counts {
  const total: Counts = {};
  for (const part of parts) {
    for (const [outcome, count] of Object.entries(part)) {
      total[outcome] = (total[outcome] ?? 0) + count;
    }
  }
  return total;
}
