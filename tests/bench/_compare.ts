import { median } from "./measure.ts";
import { table } from "./table.ts";

/** One line of the results: the same work done by ours and by another. */
export interface Row {
  /** What was measured, and on what. */
  work: string;
  /** Median of ours. */
  ours: number;
  /** Median of the other. */
  other: number;
  /** Median of the rounds' ratios; more is better. */
  ratio: number;
  /** The ratio to reach. */
  target: number;
  /** Of what `ours` and `other` are counted in. */
  unit: string;
}

/** How much to measure. */
export interface Effort {
  /** Measured rounds of each work; half as many come before. */
  rounds: number;
  /** Length in s of each measurement. */
  seconds: number;
}

/** Many and short, since the speed of a machine may change within a second. */
export const FULL: Effort = { rounds: 41, seconds: 0.1 };

/** Enough to see that it runs. */
export const QUICK: Effort = { rounds: 1, seconds: 0.05 };

/**
 * Measures two ways in turn, the first of them changing, so that what else
 * goes on hits both. The first rounds, in which runtimes compile, do not count.
 */
export async function compare(
  facts: Pick<Row, "work" | "target" | "unit">,
  { rounds }: Effort,
  ours: () => Promise<number>,
  other: () => Promise<number>,
): Promise<Row> {
  const pairs: { ours: number; other: number }[] = [];
  for (let round = -rounds >> 1; round < rounds; round++) {
    const isOursFirst = round % 2 === 0;
    const first = await (isOursFirst ? ours : other)();
    const second = await (isOursFirst ? other : ours)();
    if (round < 0) continue;
    pairs.push(
      isOursFirst
        ? { ours: first, other: second }
        : { ours: second, other: first },
    );
  }
  return {
    ...facts,
    ours: median(pairs.map(({ ours }) => ours)),
    other: median(pairs.map(({ other }) => other)),
    ratio: median(pairs.map(({ ours, other }) => ours / other)),
  };
}

/** Rows as a table; more is better. */
export function rowsTable(rows: readonly Row[]): string {
  return table(
    ["connections", "ours", "other", "", "ratio", "at least"],
    rows.map(({ work, ours, other, unit, ratio, target }) => [
      work,
      format(ours),
      format(other),
      unit,
      ratio.toFixed(2),
      `${target}`,
    ]),
  );
}

/** Prints rows as a table. */
export function print(rows: readonly Row[]): void {
  console.log(rowsTable(rows));
}

function format(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}
