/** The scenarios on each runtime, by its own test runner. */

import { bunProgram, nodeProgram } from "../../_npm.ts";
import { LONGEST_RUN } from "../../_within.ts";
import { bunCoverage } from "../bun/_run.ts";

/** A runtime: how it runs test files, and how it says what became of a test. */
export interface Driver {
  runtime: string;
  command: string;
  args: string[];
  /** Of a line of output: what passed or failed, and its name. */
  line: RegExp;
  passed: string;
}

/** All runtimes. */
export const DRIVERS: readonly Driver[] = [
  {
    runtime: "Node",
    command: nodeProgram(),
    args: [
      "--test",
      "--test-reporter=spec",
      "--test-force-exit",
    ],
    line: /^(?<outcome>[✔✖]) (?<name>.*) \([\d.]+ms\)/u,
    passed: "✔",
  },
  {
    runtime: "Deno",
    command: Deno.execPath(),
    args: ["test", "-A", "--no-check", "--no-lock"],
    line: /^(?<name>.*) \.\.\. (?<outcome>ok|FAILED|ignored) \(/,
    passed: "ok",
  },
  {
    runtime: "Bun",
    command: bunProgram(),
    args: [
      "test",
      `--timeout=${LONGEST_RUN}`,
      ...bunCoverage("node-all"),
    ],
    line: /^\((?<outcome>pass|fail)\) (?<name>.*) \[[\d.]+ms\]$/,
    passed: "pass",
  },
];

/** Runs files of this folder. Each test in them becomes a step that names the runtime. */
export async function runScenarios(
  t: Deno.TestContext,
  { runtime, command, args, line, passed }: Driver,
  files: readonly string[],
): Promise<void> {
  const { stdout, stderr, success } = await new Deno.Command(command, {
    args: [...args, ...files],
    cwd: new URL(".", import.meta.url),
    env: { NO_COLOR: "1" },
    signal: AbortSignal.timeout(LONGEST_RUN),
  }).output();
  const decoder = new TextDecoder();
  const output = decoder.decode(stdout) + decoder.decode(stderr);
  const results = new Map<string, string>();
  for (const text of output.split("\n")) {
    const { outcome, name } = line.exec(text)?.groups ?? {};
    if (outcome && name) results.set(name, outcome);
  }
  for (const [name, outcome] of results) {
    await t.step(`${runtime}: ${name}`, () => {
      if (outcome !== passed) throw new Error(`${outcome} on ${runtime}`);
    });
  }
  if (!success || results.size === 0) {
    throw new Error(`Scenarios failed on ${runtime}:\n${output}`);
  }
}
