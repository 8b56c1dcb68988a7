/**
 * Fuzzes the codec for as long as asked:
 * `deno task fuzz --seconds 60`, `--inputs 10000000`, `--seed 7`. Prints how
 * many inputs came to what; at the first that breaks a promise it prints its
 * bytes and its number, and exits 1. `--from NUMBER --inputs 1` repeats it.
 *
 * @module
 */

import { readNumber } from "../../../conn/cli/read_text.ts";
import { readArguments } from "../../_arguments.ts";
import { type Counts, type Share, sum } from "./_fuzz.ts";
import { checkLinear } from "./_linear.ts";
import { watch } from "./_watch.ts";
import type { Result } from "./_worker.ts";

/** How many inputs a thread gets at a time. */
const SHARE = 10_000;

/** How long to run when nothing is asked for, in seconds. */
const DEFAULT_SECONDS = 10;

/** How often to say how far it is, in ms. */
const PROGRESS_INTERVAL = 10_000;

/** Hands out shares to threads until all are done or the time is up. */
async function runShares(
  seed: number,
  from: number,
  inputs: number,
  deadline: number,
  onProgress: (counts: Counts) => void,
): Promise<Counts> {
  const parts: Counts[] = [];
  let next = from;
  let told = performance.now();
  const takeShare = (): Share | undefined => {
    const count = Math.min(SHARE, from + inputs - next);
    if (count <= 0 || performance.now() > deadline) return undefined;
    next += count;
    return { seed, from: next - count, count };
  };
  const runThread = async () => {
    const worker = new Worker(import.meta.resolve("./_worker.ts"), {
      type: "module",
    });
    try {
      for (let share = takeShare(); share; share = takeShare()) {
        parts.push(await ask(worker, share));
        if (performance.now() - told > PROGRESS_INTERVAL) {
          told = performance.now();
          onProgress(sum(parts));
        }
      }
    } catch (error) {
      next = Infinity;
      throw error;
    } finally {
      worker.terminate();
    }
  };
  const threads = Math.max(1, navigator.hardwareConcurrency);
  await Promise.all(Array.from({ length: threads }, runThread));
  return sum(parts);
}

/** What a thread answers. */
function ask(worker: Worker, share: Share): Promise<Counts> {
  const { promise, resolve, reject } = Promise.withResolvers<Counts>();
  worker.onmessage = ({ data }: MessageEvent<Result>) =>
    "counts" in data ? resolve(data.counts) : reject(new Error(data.failure));
  worker.onerror = (event) => {
    event.preventDefault();
    reject(new Error(event.message));
  };
  worker.postMessage(share);
  return promise;
}

/** How many inputs there were. */
function total(counts: Counts): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}

const { seed, from, inputs, seconds } = readArguments({
  seconds: { type: "string", help: `how long (${DEFAULT_SECONDS})` },
  inputs: { type: "string", help: "how many, and then as long as it takes" },
  seed: { type: "string", help: "of what is drawn (a random one)" },
  from: { type: "string", help: "number of the first input (0)" },
}, (values) => {
  const read = (name: keyof typeof values, otherwise: number) => {
    const text = values[name];
    return text === undefined
      ? otherwise
      : readNumber(`--${name}`, text, 0, Number.MAX_SAFE_INTEGER);
  };
  const inputs = read("inputs", Infinity);
  return {
    seed: read("seed", crypto.getRandomValues(new Uint32Array(1))[0] ?? 0),
    from: read("from", 0),
    inputs,
    seconds: read("seconds", inputs === Infinity ? DEFAULT_SECONDS : Infinity),
  };
});

console.log(`seed ${seed}`);
try {
  using _watching = watch();
  for (const line of checkLinear()) console.log(line);
  const start = performance.now();
  const counts = await runShares(
    seed,
    from,
    inputs,
    start + seconds * 1000,
    (counts) => console.log(`${total(counts)} inputs`),
  );
  const took = (performance.now() - start) / 1000;
  const sorted = Object.entries(counts).sort(([, a], [, b]) => b - a);
  for (const [outcome, count] of sorted) {
    const isCode = outcome !== "accepted" && outcome !== "incomplete";
    const name = isCode ? `refused: ${outcome}` : outcome;
    console.log(`${name.padEnd(20)}${String(count).padStart(12)}`);
  }
  console.log(
    `${total(counts)} inputs of seed ${seed} in ${took.toFixed(1)} s, ` +
      `${Math.round(total(counts) / took)} a second: no promise broken`,
  );
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  console.error(`seed ${seed}`);
  Deno.exit(1);
}
