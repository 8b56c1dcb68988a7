import type { Spread } from "./spread.ts";
import { table } from "./table.ts";

/** One result: the same work done by ours and by another, in turn. */
export interface Row {
  /** What was done. */
  work: string;
  /** What ours is beside: a baseline, a bare server, another program. */
  beside: string;
  /** Median of ours, and of the other. */
  ours: number;
  other: number;
  /** Of what both are counted in. */
  unit: string;
  /** Ratios of the rounds. */
  ratio: Spread;
  /** What the median ratio is to reach, or not to exceed. */
  mark?: { least: number } | { most: number };
  /** What a reader must know of the figures. */
  note?: string;
}

/** Whether the median is on the wrong side of its mark. */
export function isMissed({ ratio, mark }: Row): boolean {
  if (mark === undefined) return false;
  return "least" in mark
    ? !(ratio.median >= mark.least)
    : !(ratio.median <= mark.most);
}

/** Rows as a table of Markdown. */
export function rowsTable(rows: readonly Row[]): string {
  return table(
    [
      "work",
      "compared with",
      "ours",
      "other",
      "",
      "ratio",
      "quartiles",
      "target",
    ],
    rows.map((row) => {
      const { work, beside, ours, other, unit, ratio, note } = row;
      return [
        note === undefined ? work : `${work} (${note})`,
        beside,
        format(ours),
        format(other),
        unit,
        ratio.median.toFixed(2),
        `${ratio.low.toFixed(2)}-${ratio.high.toFixed(2)}`,
        markText(row),
      ];
    }),
  );
}

/** A mark, and whether it was missed. */
export function markText(row: Row): string {
  const { mark } = row;
  if (mark === undefined) return "";
  const text = "least" in mark ? `>= ${mark.least}` : `<= ${mark.most}`;
  return isMissed(row) ? `${text} missed` : text;
}

function format(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}
