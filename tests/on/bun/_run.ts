/** Runs programs of other runtimes from a test of Deno. */

import { LONGEST_RUN } from "../../_within.ts";

/** A line of `bun test`, or of a program that writes like it. */
const RESULT_REGEXP = /^\((pass|fail)\) (.*?)(?: \[[\d.]+ms\])?$/gm;

const FOLDER = new URL(".", import.meta.url);

/** Runs a command to its end; its output, and whether it says that all is well. */
export async function run(
  [command, ...args]: readonly [string, ...string[]],
  cwd: URL | string = FOLDER,
): Promise<{ success: boolean; stdout: string; all: string }> {
  const { success, stdout, stderr } = await new Deno.Command(command, {
    args,
    cwd,
    env: { NO_COLOR: "1" },
    signal: AbortSignal.timeout(LONGEST_RUN),
  }).output();
  const decoder = new TextDecoder();
  const text = decoder.decode(stdout);
  return { success, stdout: text, all: text + decoder.decode(stderr) };
}

/** Runs scenarios by their runtime; each becomes a step that names both. */
export async function report(
  t: Deno.TestContext,
  command: readonly [string, ...string[]],
): Promise<void> {
  const { success, all } = await run(command);
  const results = [...all.matchAll(RESULT_REGEXP)];
  const names = new Map(
    results.map(([, outcome, name = ""]) => [name, outcome]),
  );
  for (const [name, outcome] of names) {
    await t.step(name, () => {
      if (outcome !== "pass") throw new Error(`Failed: ${name}`);
    });
  }
  if (!success || names.size === 0) {
    throw new Error(`${command.join(" ")} failed:\n${all}`);
  }
}

/** What makes `bun test` tell what it covers, where that is collected. */
export function bunCoverage(name: string): string[] {
  const folder = Deno.env.get("DENO_COVERAGE_DIR");
  if (folder === undefined) return [];
  return [
    "--coverage",
    "--coverage-reporter=lcov",
    `--coverage-dir=${folder}/../bun/${name}`,
  ];
}
