/**
 * Runs of Deno whose output is shown and counted.
 *
 * @module
 */

const decoder = new TextDecoder();

/** What came of a run. */
export interface Outcome {
  passed: number;
  failed: number;
  /** What was left out and why, each once. */
  skipped: string[];
}

/** Runs Deno and shows its output; a run that is no test counts as one. */
export async function runDeno(
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<Outcome> {
  const child = new Deno.Command(Deno.execPath(), {
    args: [...args],
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
  return outcomeOf(output, success);
}

/** Reads what a run has printed. A failure that it does not count is one. */
export function outcomeOf(output: string, success: boolean): Outcome {
  // The last: before it may stand those of runs that a test has started.
  const [, passed, failed] = Array.from(
    output.matchAll(/(\d+) passed(?: \(\d+ steps\))? \| (\d+) failed/g),
  ).at(-1) ?? ["", success ? 1 : 0, 0];
  const lines = Array.from(
    output.matchAll(/^(?:.* => )?skipped: (.*)$/gm),
    ([, what = ""]) => what.trim(),
  );
  return {
    passed: Number(passed),
    failed: success ? Number(failed) : Math.max(Number(failed), 1),
    skipped: [...new Set(lines)].sort(),
  };
}

/** What runs tests where JSR is out of reach. */
export function standIns(): string[] {
  const { stdout } = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", "tests/std/choose.ts"],
  }).outputSync();
  const option = decoder.decode(stdout).trim();
  return option === "" ? [] : [option];
}

/** The last lines of a run: what was left out, then the counts. */
export function summaryOf({ passed, failed, skipped }: Outcome): string {
  return [
    ...skipped.map((what) => `skipped: ${what}`),
    `${passed} passed, ${failed} failed`,
  ].join("\n");
}
