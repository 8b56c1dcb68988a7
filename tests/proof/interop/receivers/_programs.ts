/**
 * Programs that run to their end.
 *
 * @module
 */

import { LONGEST_RUN } from "../../../_within.ts";
import { findProgram } from "../_system.ts";

/** The interpreter that has the modules of Debian. */
export const PYTHON = "/usr/bin/python3";

/** Runs a program; what it printed, and whether all went well. */
async function runToEnd(
  program: string,
  args: readonly string[],
  env: Record<string, string>,
): Promise<{ text: string; success: boolean }> {
  const path = program.includes("/") ? program : findProgram(program);
  if (path === undefined) throw new Error(`${program} is not installed`);
  const { success, stdout, stderr } = await new Deno.Command(path, {
    args: [...args],
    env,
    stdin: "null",
    signal: AbortSignal.timeout(LONGEST_RUN),
  }).output();
  const decoder = new TextDecoder();
  return { text: decoder.decode(stdout) + decoder.decode(stderr), success };
}

/** Runs a program that has to succeed. */
export async function run(
  program: string,
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<void> {
  const { text, success } = await runToEnd(program, args, env);
  if (!success) throw new Error(`${program} ${args.join(" ")} failed: ${text}`);
}

/** The first version number that a program prints; not all of them call that a success. */
export async function versionOf(
  program: string,
  ...args: string[]
): Promise<string> {
  const { text } = await runToEnd(program, args, {});
  const version = /\d+(?:\.\d+)+/.exec(text)?.[0];
  if (version === undefined) throw new Error(`${program} printed ${text}`);
  return version;
}

/** The path of a file beside the drivers. */
export function beside(name: string): string {
  return new URL(name, import.meta.url).pathname;
}

/** Whether we are root, and a server has to be told whom to become. */
export const isRoot: boolean = Deno.uid() === 0;

/** Lets a server that leaves root behind write into its directory. */
export async function giveTo(user: string, directory: string): Promise<void> {
  if (isRoot) await run("chown", ["-R", `${user}:`, directory]);
}
