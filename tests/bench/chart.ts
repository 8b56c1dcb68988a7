import type { Results } from "./results.ts";
import { isMissed, type Row } from "./row.ts";

/** Sizes in pixels. */
const [WIDTH, LABELS, LINE, TOP] = [860, 420, 20, 30];

/** What one pixel row of the scale stands for: ratios from 1/8 to 8. */
const STEPS = [0.25, 0.5, 1, 2, 4, 8];
const [LEAST, MOST] = [0.2, 12];

/**
 * Draws how often ours is as fast as what it is beside, as SVG on a logarithmic
 * scale: the bar ends at the median, the line covers the quartiles.
 */
export function chart(all: readonly Results[]): string {
  const lines: string[] = [];
  let y = TOP;
  for (const { machine, rows } of all) {
    lines.push(text(8, y + 14, machine.runtime, "title"));
    y += LINE;
    for (const row of rows) {
      lines.push(line(row, y));
      y += LINE;
    }
    y += LINE / 2;
  }
  const grid = STEPS.map((step) =>
    `<path class="${step === 1 ? "one" : "grid"}" d="M${x(step)} ${
      TOP - 6
    }V${y}"/>${text(x(step), TOP - 12, `${step}`, "scale")}`
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${
    y + LINE
  }" viewBox="0 0 ${WIDTH} ${y + LINE}" role="img" font-family="sans-serif">
<title>How often ours is as fast as what it is beside; more is better</title>
<style>
text { font-size: 12px; fill: #57606a }
.title { font-weight: bold }
.scale { text-anchor: middle }
.grid { stroke: #8884; fill: none }
.one { stroke: #888; fill: none }
.bar { fill: #1f6feb }
.missed { fill: #d1842f }
.spread { stroke: #57606a; stroke-width: 3 }
</style>
${[...grid, ...lines].join("\n")}
</svg>
`;
}

function line(row: Row, y: number): string {
  const { work, beside } = row;
  // A share of the baseline's time is less when it is better.
  const isTime = row.mark !== undefined && "most" in row.mark;
  const faster = (ratio: number) => isTime ? 1 / ratio : ratio;
  const { low, median, high } = row.ratio;
  const end = x(faster(median));
  const [from, to] = [Math.min(x(1), end), Math.max(x(1), end)];
  const kind = isMissed(row) ? "bar missed" : "bar";
  return `${
    text(8, y + 14, `${work}, beside ${beside}`)
  }<rect class="${kind}" x="${from.toFixed(1)}" y="${y + 5}" width="${
    (to - from).toFixed(1)
  }" height="10"/><path class="spread" d="M${x(faster(low)).toFixed(1)} ${
    y + 10
  }H${x(faster(high)).toFixed(1)}"/>`;
}

function x(ratio: number): number {
  const share = Math.log(Math.min(Math.max(ratio, LEAST), MOST) / LEAST) /
    Math.log(MOST / LEAST);
  return LABELS + share * (WIDTH - LABELS - 10);
}

function text(x: number, y: number, content: string, kind = ""): string {
  const escaped = content.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
  return `<text x="${x}" y="${y}"${
    kind && ` class="${kind}"`
  }>${escaped}</text>`;
}
