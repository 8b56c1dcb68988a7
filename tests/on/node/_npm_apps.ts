/**
 * Runs programs with packages of npm, as their users have them, on each runtime.
 *
 * @module
 */

import { bunProgram, nodeProgram, NPM_INSTALL } from "../../_npm.ts";
import { LONGEST_RUN } from "../../_within.ts";

/** A program, and the packages that it imports. */
export interface App {
  /** A file of this folder; it is copied to where its packages are. */
  file: string;
  packages: readonly string[];
  /** Added to the environment. */
  env?: Record<string, string>;
  /** What it prints, by the name of the runtime. */
  expected: (runtime: string) => string;
  /** Runtimes to leave out, since a package does not run there. */
  without?: readonly string[];
}

const RUNTIMES: Record<string, [command: string, ...args: string[]]> = {
  Node: [nodeProgram()],
  Deno: [Deno.execPath(), "run", "-A", "--no-lock"],
  Bun: [bunProgram()],
};

/** Runs a command to its end; what it printed. */
async function run(
  [command, ...args]: [string, ...string[]],
  cwd: string,
  env: Record<string, string> = {},
): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(command, {
    args,
    cwd,
    env: { ...env, NO_COLOR: "1" },
    signal: AbortSignal.timeout(LONGEST_RUN),
  }).output();
  const decoder = new TextDecoder();
  const output = decoder.decode(stdout);
  if (success) return output;
  throw new Error(`${command} failed:\n${output}${decoder.decode(stderr)}`);
}

/** Runs it on each runtime with the address of the adapter; a step for each. */
export async function runApp(
  t: Deno.TestContext,
  { file, packages, env, expected, without = [] }: App,
): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "proxy-apps-" });
  try {
    await Deno.writeTextFile(`${folder}/package.json`, '{"type":"module"}');
    await run([...NPM_INSTALL, ...packages], folder);
    const program = file.replace(/^_/, "");
    await Deno.copyFile(
      new URL(file, import.meta.url),
      `${folder}/${program}`,
    );
    const adapter = new URL("../../../conn/node.ts", import.meta.url).href;
    for (const [name, command] of Object.entries(RUNTIMES)) {
      if (without.includes(name)) continue;
      await t.step(name, async () => {
        const output = await run([...command, program, adapter], folder, env);
        if (output !== expected(name)) {
          throw new Error(`Unexpected output on ${name}:\n${output}`);
        }
      });
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
