import type { Row } from "./row.ts";
import { median, spreadOf } from "./spread.ts";

/** How much to measure. */
export interface Effort {
  /** Pairs of fresh servers, one after the other. */
  pairs: number;
  /** Measured rounds of each pair. */
  rounds: number;
  /** Length in s of each measurement. */
  seconds: number;
  /** How long each server is warmed before, in s. */
  warmUp: number;
}

/**
 * Many and short, since the speed of a machine may change within a second. A short
 * connection costs Deno and Bun a fifth less after 4 s than before.
 */
export const FULL: Effort = { pairs: 3, rounds: 14, seconds: 0.1, warmUp: 5 };

/** Enough to see that it runs. */
export const QUICK: Effort = {
  pairs: 1,
  rounds: 1,
  seconds: 0.05,
  warmUp: 0.05,
};

/** Both sides of one round. */
export interface Round<T> {
  ours: T;
  other: T;
}

/**
 * Measures two ways in turn, the first of them changing, so that what else goes
 * on disturbs both. Each is warmed up first.
 */
export async function rounds<T>(
  { rounds, seconds, warmUp }: Effort,
  ours: (seconds: number) => Promise<T>,
  other: (seconds: number) => Promise<T>,
): Promise<Round<T>[]> {
  const pairs: Round<T>[] = [];
  await ours(warmUp);
  await other(warmUp);
  for (let round = 0; round < rounds; round++) {
    const isOursFirst = round % 2 === 0;
    const first = await (isOursFirst ? ours : other)(seconds);
    const second = await (isOursFirst ? other : ours)(seconds);
    pairs.push(
      isOursFirst
        ? { ours: first, other: second }
        : { ours: second, other: first },
    );
  }
  return pairs;
}

/** Makes a row of rounds; `better` says whether more or less of it is better. */
export function rowOf<T>(
  facts: Pick<Row, "work" | "beside" | "unit" | "mark" | "note">,
  all: readonly Round<T>[],
  value: (side: T) => number,
  better: "more" | "less" = "more",
): Row {
  const pairs = all.map(({ ours, other }) => ({
    ours: value(ours),
    other: value(other),
  }));
  return {
    ...facts,
    ours: median(pairs.map(({ ours }) => ours)),
    other: median(pairs.map(({ other }) => other)),
    ratio: spreadOf(
      pairs.map(({ ours, other }) =>
        better === "more" ? ours / other : other / ours
      ),
    ),
  };
}
