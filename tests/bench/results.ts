import { readFileSync, writeFileSync } from "node:fs";
import { chart } from "./chart.ts";
import { disturbance, type Machine, machineText } from "./machine.ts";
import { isMissed, type Row, rowsTable } from "./row.ts";

/** What one run of `bench.ts` measured. */
export interface Results {
  machine: Machine;
  rows: Row[];
}

/** The runtimes, in the order of the page. */
const RUNTIMES = ["deno", "bun", "node"] as const;

/** What stands before and after the generated part of the page. */
const [START, END] = ["<!-- results -->", "<!-- end of results -->"];

const CHART =
  "![Ratio of our speed and the speed of each contender](chart.svg)";

const fileOf = (name: string): URL => new URL(name, import.meta.url);

/** Keeps the results of a runtime, and draws the page of all of them anew. */
export function writeResults(runtime: string, results: Results): void {
  writeFileSync(
    fileOf(`results_${runtime}.json`),
    `${JSON.stringify(results, null, 2)}\n`,
  );
  const all = RUNTIMES.flatMap(read);
  writeFileSync(fileOf("chart.svg"), chart(all));
  const page = readFileSync(fileOf("README.md"), "utf8");
  const [before, after] = [page.split(START)[0], page.split(END)[1]];
  if (before === undefined || after === undefined) {
    throw new Error(`README.md has no ${START} and ${END}`);
  }
  const parts = [CHART, ...all.map(resultsText)].join("\n\n");
  writeFileSync(
    fileOf("README.md"),
    `${before}${START}\n\n${parts}\n\n${END}${after}`,
  );
}

function read(runtime: string): Results[] {
  try {
    return [
      JSON.parse(readFileSync(fileOf(`results_${runtime}.json`), "utf8")),
    ];
  } catch {
    return []; // not measured yet
  }
}

/** The results of a run as Markdown. */
export function resultsText({ machine, rows }: Results): string {
  const warning = disturbance(machine);
  const missed = rows.filter(isMissed).length;
  return [
    `### ${machine.runtime}`,
    `Measured on ${machineText(machine)}.`,
    ...(warning === undefined ? [] : [`**Warning:** ${warning}.`]),
    `${rows.length} rows, ${missed} of them miss their target.`,
    rowsTable(rows),
  ].join("\n\n");
}
