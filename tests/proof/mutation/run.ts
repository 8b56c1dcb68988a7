/**
 * Breaks the codec in one place at a time and runs its tests, which have to
 * notice: `deno task mutate [--count N] [--seed N]`. Prints what they do not
 * notice, and the share of what they do. `_equivalent.ts` has those that change nothing
 * that can be seen, with the reason.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { EQUIVALENT } from "./_equivalent.ts";
import { type Mutant, mutantsOf } from "./_mutants.ts";

const { values } = parseArgs({
  options: {
    count: { type: "string", default: "300" },
    seed: { type: "string", default: "1" },
  },
});

const ROOT = new URL("../../..", import.meta.url).pathname;

/** What the tests of the codec need. */
const NEEDED = ["codec", "conn", "mod.ts", "tests", "deno.json"];

/** A mutant that runs as long loops without end. */
const LONGEST_RUN = 60_000;

/** Everything, or as much of it as is asked for, in an order that the seed gives. */
function sample(all: Mutant[], count: number, seed: number): Mutant[] {
  let state = seed;
  const next = () => state = (state * 1103515245 + 12345) % 0x80000000;
  return all.map((mutant) => ({ mutant, rank: next() }))
    .sort((a, b) => a.rank - b.rank)
    .slice(0, count)
    .map(({ mutant }) => mutant);
}

function isKnown({ file, before, after }: Mutant): boolean {
  return EQUIVALENT.some((known) =>
    known.file === file && known.before === before.trim() &&
    known.after === after.trim()
  );
}

/** Whether the tests notice a mutant, in a copy of the project. */
async function isNoticed(folder: string, mutant: Mutant): Promise<boolean> {
  const path = `${folder}/${mutant.file}`;
  const source = await Deno.readTextFile(path);
  const lines = source.split("\n");
  lines[mutant.line - 1] = mutant.after;
  await Deno.writeTextFile(path, lines.join("\n"));
  // The slower ones are for what gets past the others.
  const isPast = await pass(folder, "tests/codec") &&
    await pass(folder, "tests/proof/fuzz");
  await Deno.writeTextFile(path, source);
  return !isPast;
}

async function pass(folder: string, tests: string): Promise<boolean> {
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      ...["test", "-A", "--quiet", "--no-check", "--fail-fast"],
      `--import-map=${folder}/tests/std/map.json`,
      tests,
    ],
    cwd: folder,
    stdout: "null",
    stderr: "null",
  }).spawn();
  const timer = setTimeout(() => child.kill("SIGKILL"), LONGEST_RUN);
  const { success } = await child.status;
  clearTimeout(timer);
  return success;
}

const all: Mutant[] = [];
for (const folder of ["codec", "codec/tlvs"]) {
  for (const { name, isFile } of Deno.readDirSync(ROOT + folder)) {
    if (!isFile) continue;
    const file = `${folder}/${name}`;
    all.push(...mutantsOf(file, Deno.readTextFileSync(ROOT + file)));
  }
}
const chosen = sample(all, Number(values.count), Number(values.seed))
  .filter((mutant) => !isKnown(mutant));
console.log(`${chosen.length} of ${all.length} mutants`);
const waiting = chosen.values();
let noticed = 0;
await Promise.all(
  Array.from({ length: navigator.hardwareConcurrency }, async () => {
    const folder = await Deno.makeTempDir();
    for (const part of NEEDED) {
      await new Deno.Command("cp", { args: ["-r", ROOT + part, folder] })
        .output();
    }
    for (const mutant of waiting) {
      if (await isNoticed(folder, mutant)) {
        noticed++;
      } else {
        const { file, line, before, after } = mutant;
        console.log(`${file}:${line}\n- ${before.trim()}\n+ ${after.trim()}`);
      }
    }
    await Deno.remove(folder, { recursive: true });
  }),
);
console.log(`${noticed} of ${chosen.length} noticed`);
