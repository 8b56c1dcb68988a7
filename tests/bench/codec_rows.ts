import { BASELINE, OURS, type Samples } from "./codec.ts";
import type { Row } from "./row.ts";
import { median, spreadOf } from "./spread.ts";

/** How often as fast as the fastest package ours is to be. */
const LEAST_BESIDE_PACKAGES = 1.3;

/** Makes rows of what several processes have measured, each the same kinds of work. */
export function codecRows(
  runs: readonly (readonly Samples[])[],
  isBun: boolean,
): Row[] {
  const [first = []] = runs;
  return first.flatMap(({ work, times, marks }, i) => {
    const all = (name: string) =>
      runs.flatMap((run) => run[i]?.times[name] ?? []);
    const ours = all(OURS);
    const rows: Row[] = [];
    const add = (beside: string, ratio: number[], mark?: Row["mark"]) =>
      rows.push({
        work,
        beside,
        ours: median(ours),
        other: median(all(beside)),
        unit: "ns",
        ratio: spreadOf(ratio),
        ...(mark && { mark }),
      });
    if (BASELINE in times) {
      const most = isBun && marks.bun || marks.floor;
      const baseline = all(BASELINE);
      add(
        BASELINE,
        ours.map((time, i) => time / (baseline[i] ?? NaN)),
        most === undefined ? undefined : { most },
      );
    }
    const packages = Object.keys(times)
      .filter((name) => name !== OURS && name !== BASELINE)
      .toSorted((a, b) => median(all(a)) - median(all(b)));
    const [fastest] = packages;
    if (fastest !== undefined) {
      const its = all(fastest);
      add(
        fastest,
        ours.map((time, i) => (its[i] ?? NaN) / time),
        { least: LEAST_BESIDE_PACKAGES },
      );
    }
    return rows;
  });
}
