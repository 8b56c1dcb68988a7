/**
 * Runs everything a change has to pass, or the steps named as arguments, and
 * ends with one line of counts. Each check counts as one.
 *
 * @module
 */

import { FOLDER } from "./coverage.ts";

interface Step {
  name: string;
  /** Arguments of the running Deno. */
  args: string[];
  env?: Record<string, string>;
  /** The step belongs to `deno task check`. */
  isCheck?: boolean;
}

const decoder = new TextDecoder();

/** What runs tests where JSR is out of reach. */
function standIns(): string[] {
  const { stdout } = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", "tests/std/choose.ts"],
  }).outputSync();
  const option = decoder.decode(stdout).trim();
  return option === "" ? [] : [option];
}

const map = standIns();
const SHIPPED = [
  "mod.ts",
  "codec/mod.ts",
  "conn/bun.ts",
  "conn/node.ts",
  "conn/cli.ts",
];
const STEPS: Step[] = [
  {
    name: "test",
    args: ["task", "test", "--coverage-raw-data-only"],
    env: { DENO_COVERAGE_DIR: `${FOLDER}/deno` }, // for all that it starts
  },
  { name: "coverage", args: ["run", "-A", "tests/coverage.ts"] },
  { name: "fmt", args: ["fmt", "--check"], isCheck: true },
  { name: "lint", args: ["lint"], isCheck: true },
  {
    name: "architecture",
    args: ["run", "-A", "tests/architecture/check.ts"],
    isCheck: true,
  },
  { name: "types", args: ["check", ...map, "."], isCheck: true },
  {
    name: "types of the README",
    args: ["check", ...map, "--doc-only", "README.md"],
    isCheck: true,
  },
  { name: "doc", args: ["doc", "--lint", ...SHIPPED], isCheck: true },
  {
    name: "examples",
    args: ["test", "-A", ...map, "--doc", "codec", "conn", "mod.ts"],
    isCheck: true,
  },
  {
    name: "publish",
    args: ["publish", "--dry-run", "--allow-dirty"],
    isCheck: true,
  },
  { name: "demo", args: ["task", "demo"] },
  { name: "bench", args: ["task", "bench", "--quick"] },
];

/** Runs a step, its output shown; how many tests passed and failed in it. */
async function run({ name, args, env }: Step): Promise<[number, number]> {
  console.log(`\n== ${name}: deno ${args.join(" ")}`);
  const child = new Deno.Command(Deno.execPath(), {
    args,
    env: { NO_COLOR: "1", ...env },
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  let output = "";
  for await (const chunk of child.stdout) {
    Deno.stdout.writeSync(chunk);
    output += decoder.decode(chunk, { stream: true });
  }
  const { success } = await child.status;
  const counts = output.match(
    /(\d+) passed(?: \(\d+ steps\))? \| (\d+) failed/,
  );
  if (counts) {
    const failed = Number(counts[2]);
    return [Number(counts[1]), success ? failed : Math.max(failed, 1)];
  }
  return success ? [1, 0] : [0, 1];
}

const wanted = Deno.args;
const names = ["check", ...STEPS.map(({ name }) => name)];
const unknown = wanted.find((name) => !names.includes(name));
if (unknown !== undefined) {
  console.error(`Cannot run "${unknown}": expected ${names.join(", ")}`);
  Deno.exit(2);
}
const steps = STEPS.filter(({ name, isCheck }) =>
  wanted.length === 0 || wanted.includes(name) ||
  (isCheck && wanted.includes("check"))
);
let passed = 0;
let failed = 0;
const broken: string[] = [];
for (const step of steps) {
  if (step.name === "test") {
    await Deno.remove(FOLDER, { recursive: true }).catch(() => {});
  }
  const [good, bad] = await run(step);
  passed += good;
  failed += bad;
  if (bad > 0) broken.push(step.name);
}
console.log(broken.length ? `\nbroken: ${broken.join(", ")}` : "");
console.log(`${passed} passed, ${failed} failed`);
Deno.exit(failed === 0 ? 0 : 1);
