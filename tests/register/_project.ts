/** The package from npm beside programs of others, and how they are started with it. */

import { bunProgram, folderWith, nodeProgram } from "../_npm.ts";
import { UNCHANGED } from "../_versions.ts";
import { LONGEST_WAIT } from "../_within.ts";
import { installPacked } from "../npm_consumer/_package.ts";

const REGISTER = "@edgewire/proxy-protocol/register";

/** How each runtime loads the module before a program. */
export const RUNTIMES: Readonly<Record<string, [string, ...string[]]>> = {
  Node: [nodeProgram(), "--import", REGISTER],
  Deno: [
    Deno.execPath(),
    ...["run", "-A", "--quiet", "--no-config", "--unstable-net"],
    "--node-modules-dir=manual",
    ...["--preload", `npm:${REGISTER}`],
  ],
  Bun: [bunProgram(), "--preload", REGISTER],
};

/**
 * Makes a folder with the programs of this one, the package and all they import.
 * It is not within `node_modules`, where Deno loads nothing before a program.
 */
export async function makeProject(): Promise<string> {
  const folder = await Deno.makeTempDir({ prefix: "register-" });
  await installPacked(folder);
  const packages = `${folderWith(...UNCHANGED)}/node_modules`;
  for await (const { name } of Deno.readDir(packages)) {
    await Deno.symlink(`${packages}/${name}`, `${folder}/node_modules/${name}`);
  }
  const dependencies = { "@edgewire/proxy-protocol": "*" }; // Deno asks for them
  await Deno.writeTextFile(
    `${folder}/package.json`,
    JSON.stringify({ type: "module", dependencies }),
  );
  for (const from of ["./programs/", "../data/"]) {
    const url = new URL(from, import.meta.url);
    for (const { name } of Deno.readDirSync(url)) {
      await Deno.copyFile(new URL(name, url), `${folder}/${name}`);
    }
  }
  return folder;
}

/** A command on a runtime, with variables. */
export function commandOn(
  runtime: string,
  variables: Readonly<Record<string, string>>,
  ...args: readonly string[]
): [string, ...string[]] {
  return [
    "env",
    ...Object.entries(variables).map(([name, value]) => `${name}=${value}`),
    ...RUNTIMES[runtime] ?? [],
    ...args,
  ];
}

/** Runs a command to its end. */
export async function run(
  [command, ...args]: readonly [string, ...string[]],
  cwd: string,
): Promise<{ code: number; stdout: string; stderr: string }> {
  const { code, stdout, stderr } = await new Deno.Command(command, {
    args,
    cwd,
    env: { NO_COLOR: "1" },
    signal: AbortSignal.timeout(LONGEST_WAIT),
  }).output();
  const decoder = new TextDecoder();
  return {
    code,
    stdout: decoder.decode(stdout),
    stderr: decoder.decode(stderr),
  };
}
