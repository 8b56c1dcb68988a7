/**
 * Runs real systems on both sides: those of every run, or with `--all` all that
 * are installed. Prints what came of it, writes `matrix.json` and the tables of
 * `README.md` from it, and fails when a row is not as expected. `--install`
 * installs them first.
 *
 * @module
 */

import { readArguments } from "../../_arguments.ts";
import { LONGEST_RUN, within } from "../../_within.ts";
import { drive, type Driver, type Step } from "./_driver.ts";
import {
  bySystem,
  MATRIX,
  merge,
  PAGE,
  replaceTables,
  type Tested,
  toMarkdown,
} from "./_matrix.ts";
import { RUNTIMES } from "../../on/_servers.ts";
import { findProgram, record, recorded, type Row } from "./_system.ts";
import { missing, receivers, rowsOf } from "./receivers/mod.ts";
import { chain } from "./senders/chain.ts";
import { SENDERS } from "./senders/mod.ts";
import { sendTo } from "./senders/to_runtimes.ts";

const INSTALL = new URL("install.sh", import.meta.url);

const { all, install } = readArguments({
  all: { type: "boolean", help: "all that are installed" },
  install: { type: "boolean", help: "install them first" },
}, (values) => values);
const isAll = all || Deno.env.get("INTEROP") === "all";
const isRequired = Deno.env.get("CI") === "true";

/** The work with one system. */
interface Job {
  name: string;
  direction: Row["direction"];
  /** What is not there of it. */
  missing: readonly string[];
  run: () => Promise<void>;
}

/** A row that is not as expected is recorded already. */
const step: Step = (_name, work) => work().catch(() => {});

function missingOf(programs: readonly string[]): string[] {
  return programs.filter((name) => findProgram(name) === undefined);
}

function jobOf(driver: Driver): Job {
  return {
    name: driver.system,
    direction: driver.direction,
    missing: missingOf(driver.programs),
    run: () => drive(driver, step),
  };
}

if (install) {
  const { success } = await new Deno.Command("bash", {
    args: [INSTALL.pathname, ...(isAll ? ["--all"] : [])],
    stdout: "inherit",
    stderr: "inherit",
  }).output();
  if (!success) Deno.exit(1);
}

const jobs: Job[] = [
  ...[...SENDERS, chain].filter((sender) => isAll || sender.isInEveryRun)
    .map(jobOf),
  ...Object.keys(RUNTIMES).map((runtime): Job => ({
    name: `haproxy and nginx before ${runtime}`,
    direction: "sender",
    missing: missingOf(["haproxy", "nginx"]),
    run: () => sendTo(runtime, step),
  })),
  ...receivers.filter((receiver) => isAll || receiver.isCheap)
    .map((receiver): Job => ({
      name: receiver.name,
      direction: "receiver",
      missing: [
        ...missing(receiver),
        ...receiver.needsRoot && Deno.uid() !== 0 ? ["root"] : [],
      ],
      run: async () => {
        for await (const row of rowsOf(receiver)) record(row);
      },
    })),
];

function print(row: Row): void {
  const { system, version, direction, input, expected, seen, ok } = row;
  const verb = direction === "sender" ? "sends" : "reads";
  console.log(
    `${ok ? "ok     " : "DIFFERS"} ${system} ${version} ${verb} ${input}: ${
      ok ? seen : `${seen} instead of ${expected}`
    }`,
  );
}

/** Runs one, its rows printed; whether it could be run. */
async function runJob(job: Job): Promise<boolean> {
  if (job.missing.length > 0) {
    console.log(`skipped: no ${job.missing.join(", ")}`);
    return !isRequired;
  }
  const begin = recorded().length;
  let isDone = true;
  await within(job.run(), job.name, LONGEST_RUN).catch((error) => {
    console.log(`BROKEN  ${job.name}: ${error}`);
    isDone = false;
  });
  recorded().slice(begin).forEach(print);
  return isDone;
}

async function readMatrix(): Promise<Tested[]> {
  try {
    return JSON.parse(await Deno.readTextFile(MATRIX));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

async function writeResults(): Promise<void> {
  const matrix = merge(await readMatrix(), bySystem(recorded()));
  await Deno.writeTextFile(MATRIX, JSON.stringify(matrix, null, 2) + "\n");
  const page = await Deno.readTextFile(PAGE);
  await Deno.writeTextFile(PAGE, replaceTables(page, toMarkdown(matrix)));
  await new Deno.Command(Deno.execPath(), {
    args: ["fmt", "--quiet", MATRIX.pathname, PAGE.pathname],
  }).output();
}

let broken = 0;
for (const job of jobs) {
  if (!await runJob(job)) broken++;
}
await writeResults();
const rows = recorded();
const unexpected = rows.filter(({ ok }) => !ok).length;
const names = (direction: Row["direction"]) =>
  new Set(
    rows.filter((row) => row.direction === direction && row.ok)
      .map(({ system }) => system).filter((system) => system !== chain.system),
  );
console.log(
  `${names("sender").size} senders, ${names("receiver").size} receivers: ${
    rows.length - unexpected
  } rows as expected, ${unexpected} not, ${broken} systems broken or missing`,
);
Deno.exit(unexpected + broken === 0 ? 0 : 1);
