/** The package as npm gets it, for tests that install it and for its release. */

import { NPM_INSTALL } from "../_npm.ts";
import { OLDEST_NODE } from "../_versions.ts";
import { run } from "../on/bun/_run.ts";

/** Where the package is. */
export const ROOT = new URL("../../", import.meta.url);

/** The program of the package, which `npx` and `bunx` start. */
export const BIN = "bin.js";

const BIN_TEXT = `#!/usr/bin/env node
import process from "node:process";
import { runCli } from "./conn/cli.js";
import { processIo } from "./conn/cli/process_io.js";

process.exit(await runCli(process.argv.slice(2), processIo()));
`;

/** What npm wants to know and JSR does not. */
const MANIFEST = {
  description:
    "The HAProxy PROXY protocol, versions 1 and 2: codec, adapters for Deno, Bun, Node and the edge, and a command line",
  keywords: [
    ...["proxy-protocol", "haproxy", "load-balancer", "tcp", "client-ip"],
    ...["deno", "bun", "node", "cloudflare-workers"],
  ],
  bin: { "proxy-protocol": `./${BIN}` },
  engines: { node: `>=${OLDEST_NODE}` },
};

/** Runs a command that must succeed; what it printed. */
export async function mustRun(
  folder: string | URL,
  ...command: [string, ...string[]]
): Promise<string> {
  const { success, stdout, all } = await run(command, folder);
  if (!success) throw new Error(`${command.join(" ")} failed:\n${all}`);
  return stdout;
}

/**
 * Packs the package: JavaScript and declarations by the same transformation as
 * JSR does for npm, with a program. `repository` is such as `owner/name` on
 * GitHub; npm rejects a proof of origin that names another one.
 */
export async function pack(
  tarball: string,
  repository?: string,
): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "npm-package-" });
  try {
    await mustRun(
      ROOT,
      ...[Deno.execPath(), "pack", "--allow-dirty"] as const,
      ...["--no-source-maps", `--output=${folder}/deno.tgz`],
    );
    await mustRun(folder, "tar", "xzf", "deno.tgz");
    const content = `${folder}/package`;
    await Deno.writeTextFile(`${content}/${BIN}`, BIN_TEXT);
    const path = `${content}/package.json`;
    const manifest = {
      ...JSON.parse(await Deno.readTextFile(path)),
      ...MANIFEST,
      ...(repository && {
        repository: {
          type: "git",
          url: `git+https://github.com/${repository}.git`,
        },
      }),
    };
    await Deno.writeTextFile(path, `${JSON.stringify(manifest, null, 2)}\n`);
    const packed = await mustRun(
      folder,
      ...["npm", "pack", "./package", "--ignore-scripts", "--silent"] as const,
    );
    await Deno.copyFile(`${folder}/${packed.trim()}`, tarball);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
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
