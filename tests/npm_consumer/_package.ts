/** The package as npm gets it, for tests that install it. */

import { NPM_INSTALL } from "../_npm.ts";
import { run } from "../on/bun/_run.ts";

/** Where the package is. */
export const ROOT = new URL("../../", import.meta.url);

/** Runs a command that must succeed; what it printed. */
export async function mustRun(
  folder: string | URL,
  ...command: [string, ...string[]]
): Promise<string> {
  const { success, stdout, all } = await run(command, folder);
  if (!success) throw new Error(`${command.join(" ")} failed:\n${all}`);
  return stdout;
}

/** Packs the package by the same transformation as JSR does for npm. */
export async function pack(tarball: string): Promise<void> {
  await mustRun(
    ROOT,
    ...[Deno.execPath(), "pack", "--allow-dirty", "--no-source-maps"] as const,
    `--output=${tarball}`,
  );
}

/** Puts the package into the `node_modules` of a folder, as npm would. */
export async function installPacked(folder: string): Promise<void> {
  const target = `${folder}/node_modules/@edgewire/proxy-protocol`;
  await Deno.mkdir(target, { recursive: true });
  const tarball = `${folder}/package.tgz`;
  await pack(tarball);
  const unpack = ["tar", "xzf", tarball, "--strip-components=1"] as const;
  await mustRun(target, ...unpack);
}

/** Installs packages with npm, where there is a `package.json`. */
export async function install(
  folder: string,
  ...packages: string[]
): Promise<void> {
  await mustRun(folder, ...NPM_INSTALL, ...packages);
}
