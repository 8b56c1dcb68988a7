/**
 * Tells which lines and branches of `codec/` and `conn/` a run of the tests has
 * covered, on Deno and Bun together, and fails where that is too little. The
 * run is the one of `tests/ok.ts`, which collects it.
 *
 * @module
 */

/** Where a run collects what it covers; each of the runtimes has its folder. */
export const FOLDER: string = new URL("../coverage", import.meta.url).pathname;

/** What must be covered, in percent. */
const FLOORS = [
  { folder: "codec", lines: 100, branches: 100 },
  { folder: "conn", lines: 95, branches: 95 },
];

const ROOT = new URL("..", import.meta.url).pathname;

/** How often each line and each branch was run, by its name in the report. */
interface Counts {
  lines: Map<string, number>;
  branches: Map<string, number>;
}

/** Reads a report in the format of lcov: the counts by file. */
function readLcov(text: string, base: string): Map<string, Counts> {
  const files = new Map<string, Counts>();
  let counts: Counts = { lines: new Map(), branches: new Map() };
  for (const line of text.split("\n")) {
    const [kind, value = ""] = line.split(/:(.*)/s);
    const comma = value.lastIndexOf(",");
    const [name, count] = [value.slice(0, comma), value.slice(comma + 1)];
    if (kind === "SF") {
      counts = { lines: new Map(), branches: new Map() };
      const path = new URL(value, `file://${base}/`).pathname;
      files.set(path.slice(ROOT.length), counts);
    } else if (kind === "DA") {
      counts.lines.set(name, Number(count));
    } else if (kind === "BRDA") {
      counts.branches.set(name, count === "-" ? 0 : Number(count));
    }
  }
  return files;
}

/** What Deno has covered, all its processes together. */
function readDeno(): Map<string, Counts> {
  const { success, stdout, stderr } = new Deno.Command(Deno.execPath(), {
    args: [
      "coverage",
      "--lcov",
      "--include=/(codec|conn)/.*\\.ts$",
      `${FOLDER}/deno`,
    ],
    cwd: ROOT,
  }).outputSync();
  const decoder = new TextDecoder();
  if (!success) throw new Error(decoder.decode(stderr));
  return readLcov(decoder.decode(stdout), ROOT);
}

/**
 * Adds a report. Runtimes differ in which lines they name: those of a file are
 * from the report that has the most of it, by the runtime that it is for.
 */
function add(
  all: Map<string, Counts>,
  report: ReadonlyMap<string, Counts>,
): void {
  for (const [file, counts] of report) {
    const known = all.get(file) ?? counts;
    const isMore = shareOf(counts.lines) > shareOf(known.lines);
    all.set(file, {
      lines: isMore
        ? merge(counts.lines, known.lines)
        : merge(known.lines, counts.lines),
      branches: merge(known.branches, counts.branches),
    });
  }
}

/** The counts of the first, where the second has more in its place. */
function merge(
  counts: ReadonlyMap<string, number>,
  others: ReadonlyMap<string, number>,
): Map<string, number> {
  return new Map(
    Array.from(
      counts,
      ([name, count]) => [name, Math.max(count, others.get(name) ?? 0)],
    ),
  );
}

function shareOf(counts: ReadonlyMap<string, number>): number {
  return percent([...counts.values()]);
}

/** The files of a folder and those below it in which there is something to run. */
function filesOf(folder: string): string[] {
  return [...Deno.readDirSync(ROOT + folder)]
    .flatMap(({ name, isDirectory }) =>
      isDirectory ? filesOf(`${folder}/${name}`) : [`${folder}/${name}`]
    )
    .filter((file) =>
      file.endsWith(".ts") &&
      /^(export )?(default |async |abstract )*(function|class|const|let)\b/m
        .test(Deno.readTextFileSync(ROOT + file))
    )
    .sort();
}

function percent(counts: readonly number[]): number {
  const covered = counts.filter((count) => count > 0).length;
  return counts.length === 0 ? 100 : 100 * covered / counts.length;
}

/** Names of what was not run, such as `12 13 40`. */
function missing(counts: ReadonlyMap<string, number> | undefined): string {
  const names = [...counts ?? []].filter(([, count]) => count === 0)
    .map(([name]) => name.split(",")[0]);
  return [...new Set(names)].join(" ");
}

if (import.meta.main) {
  const all = readDeno();
  for (const { name } of Deno.readDirSync(`${FOLDER}/bun`)) {
    const text = Deno.readTextFileSync(`${FOLDER}/bun/${name}/lcov.info`);
    // It names its files from where it was run.
    add(all, readLcov(text, `${ROOT}tests/on/${name.split("-")[0]}`));
  }
  let isEnough = true;
  for (const floor of FLOORS) {
    const { folder } = floor;
    const total: { lines: number[]; branches: number[] } = {
      lines: [],
      branches: [],
    };
    for (const file of filesOf(folder)) {
      const counts = all.get(file);
      const lines = [...counts?.lines.values() ?? [0]]; // never loaded
      const branches = [...counts?.branches.values() ?? []];
      total.lines.push(...lines);
      total.branches.push(...branches);
      console.log(
        file.padEnd(32),
        percent(lines).toFixed(1).padStart(6),
        percent(branches).toFixed(1).padStart(6),
        ` lines: ${missing(counts?.lines) || "all"};`,
        `branches of: ${missing(counts?.branches) || "all"}`,
      );
    }
    for (const kind of ["lines", "branches"] as const) {
      const reached = percent(total[kind]);
      const isReached = reached >= floor[kind];
      isEnough &&= isReached;
      console.log(
        `${folder}/: ${reached.toFixed(2)} % of ${total[kind].length} ${kind},`,
        isReached ? "enough" : `too little: ${floor[kind]} % are asked for`,
      );
    }
  }
  if (!isEnough) Deno.exit(1);
}
