/**
 * Runs everything a change has to pass, or the steps named as arguments, and
 * ends with one line of counts. Each check counts as one.
 *
 * @module
 */

import { type Outcome, runDeno, standIns, summaryOf } from "./_steps.ts";
import { FOLDER } from "./coverage.ts";

interface Step {
  name: string;
  /** Arguments of the running Deno. */
  args: string[];
  env?: Record<string, string>;
  /** The step belongs to `deno task check`. */
  isCheck?: boolean;
}

/**
 * The code of a folder: not its pages, whose programs listen and are run by
 * `tests/recipes`. Nor the module that ends a process without its variables.
 */
function codeIn(folder: string): string[] {
  return Array.from(Deno.readDirSync(folder)).flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory) return path === "conn/cli/page" ? [] : codeIn(path);
    return path.endsWith(".ts") && path !== "conn/register.ts" ? [path] : [];
  });
}

const map = standIns();
const SHIPPED = [
  "mod.ts",
  "codec/mod.ts",
  "conn/bun.ts",
  "conn/deno.ts",
  "conn/node.ts",
  "conn/cli.ts",
  "conn/register.ts",
  "conn/testing.ts",
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
  { name: "prose", args: ["run", "-A", "tests/prose/check.ts"], isCheck: true },
  { name: "types", args: ["check", ...map, "."], isCheck: true },
  {
    name: "programs of the documentation",
    args: ["run", "-A", "tests/examples/check.ts"],
    isCheck: true,
  },
  { name: "doc", args: ["doc", "--lint", ...SHIPPED], isCheck: true },
  {
    name: "examples",
    args: [
      ...["test", "-A", ...map, "--doc", "codec", "mod.ts"],
      ...codeIn("conn"),
    ],
    isCheck: true,
  },
  {
    name: "publish",
    args: ["publish", "--dry-run", "--allow-dirty"],
    isCheck: true,
  },
  ...["fmt", "lint", "check"].map((tool): Step => ({
    name: `${tool} of the page`,
    args: [
      ...[tool, ...(tool === "fmt" ? ["--check"] : [])],
      ...["--config", "tests/page/deno.json", "conn/cli/page"],
    ],
    isCheck: true,
  })),
  { name: "demo", args: ["task", "demo"] },
  { name: "proof", args: ["task", "proof"] },
  { name: "fuzz", args: ["task", "fuzz", "--inputs", "200000"] },
  { name: "bench", args: ["task", "bench", "--quick"] },
];

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
const all: Outcome = { passed: 0, failed: 0, skipped: [] };
const broken: string[] = [];
for (const { name, args, env } of steps) {
  if (name === "test") {
    await Deno.remove(FOLDER, { recursive: true }).catch(() => {});
  }
  console.log(`\n== ${name}: deno ${args.join(" ")}`);
  const { passed, failed, skipped } = await runDeno(args, env);
  all.passed += passed;
  all.failed += failed;
  all.skipped.push(...skipped.filter((what) => !all.skipped.includes(what)));
  if (failed > 0) broken.push(name);
}
console.log(broken.length ? `\nbroken: ${broken.join(", ")}` : "");
console.log(summaryOf(all));
Deno.exit(all.failed === 0 ? 0 : 1);
