/** Compiles the programs of the documentation as somebody would who pastes them. */

import { installPacked, ROOT } from "../npm_consumer/_package.ts";
import { folderWith } from "../_npm.ts";
import { run } from "../on/bun/_run.ts";
import { type Surroundings, typeErrors } from "../_type_check.ts";
import {
  BUN_TYPES,
  ELYSIA,
  EXPRESS,
  EXPRESS_TYPES,
  FASTIFY,
  HONO,
  HONO_NODE_SERVER,
  HTTP_PROXY,
  HTTP_PROXY_TYPES,
  NODE_TYPES,
  OPENTELEMETRY,
  PINO,
  PROM_CLIENT,
  SRVX,
  UNDICI,
  WORKERS_TYPES,
} from "../_versions.ts";
import type { Fence } from "./_fences.ts";
import { hasPackages, type Needs, needsOf } from "./_surroundings.ts";

/** What programs of the documentation may import, and the types of runtimes. */
const PACKAGES = [
  ...[BUN_TYPES, NODE_TYPES, WORKERS_TYPES],
  ...[ELYSIA, EXPRESS, EXPRESS_TYPES, FASTIFY, HONO, HONO_NODE_SERVER, SRVX],
  ...[HTTP_PROXY, HTTP_PROXY_TYPES, UNDICI],
  ...[...OPENTELEMETRY, PINO, PROM_CLIENT],
];

const WEB = ["dom", "dom.iterable", "dom.asynciterable"];

/** What is around the programs that need something, in one compilation each. */
const SURROUNDINGS: Readonly<Record<Exclude<Needs, "deno">, Surroundings>> = {
  any: { lib: WEB, types: [] },
  bun: { types: ["bun-types"] },
  node: { types: ["node"] },
  workerd: { types: ["@cloudflare/workers-types"] },
};

/** A program, in the file that the compiler sees. */
interface File {
  readonly name: string;
  readonly fence: Fence;
  readonly needs: Needs;
}

/** Compiles programs for every runtime that they run on; returns what is wrong. */
export async function compileErrors(fences: readonly Fence[]): Promise<string> {
  const files = fences.map((fence) => ({
    name: `${fence.path.replaceAll("/", "+")}+${fence.line}.ts`,
    fence,
    needs: needsOf(fence.code),
  }));
  const [forNpm, forDeno] = await Promise.all([
    npmErrors(files),
    denoErrors(
      files.filter(({ needs, fence }) =>
        needs === "deno" || needs === "any" ||
        (needs === "node" && !hasPackages(fence.code))
      ),
    ),
  ]);
  return named(forNpm + forDeno, files);
}

/** Has the lines of the document, so that what is reported has them too. */
async function write(folder: string, files: readonly File[]): Promise<void> {
  await Promise.all(
    files.map(({ name, fence: { line, code } }) =>
      Deno.writeTextFile(`${folder}/${name}`, "\n".repeat(line - 1) + code)
    ),
  );
}

/** Puts the places of the documents in place of those of the files. */
function named(report: string, files: readonly File[]): string {
  return files.reduce(
    (text, { name, fence }) =>
      text.replaceAll(
        new RegExp(`(?<![\\w+])(file:\\S*/)?${RegExp.escape(name)}`, "g"),
        fence.path,
      ),
    report,
  );
}

/** With the package as npm gets it, and the types of each runtime. */
async function npmErrors(files: readonly File[]): Promise<string> {
  const parent = folderWith(...PACKAGES);
  const folder = await Deno.makeTempDir({ dir: parent, prefix: "examples-" });
  try {
    await Deno.writeTextFile(`${folder}/package.json`, '{"type":"module"}');
    await Promise.all([installPacked(folder), write(folder, files)]);
    const reports = await Promise.all(
      Object.entries(SURROUNDINGS).map(async ([name, surroundings]) => {
        const names = files.filter(({ needs }) =>
          needs === name || needs === "any"
        ).map(({ name }) => name);
        if (names.length === 0) return "";
        return await typeErrors(folder, names, surroundings);
      }),
    );
    return reports.join("");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** With the package as it is here, since JSR serves that. */
async function denoErrors(files: readonly File[]): Promise<string> {
  if (files.length === 0) return "";
  const folder = await Deno.makeTempDir({ prefix: "examples-" });
  try {
    await Promise.all([
      write(folder, files),
      Deno.writeTextFile(`${folder}/deno.json`, await denoConfig()),
    ]);
    const names = files.map(({ name }) => name);
    const { success, all } = await run(
      [Deno.execPath(), "check", "--quiet", ...names],
      folder,
    );
    return success ? "" : `Deno:\n${all}`;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function denoConfig(): Promise<string> {
  const read = async (path: string) =>
    JSON.parse(await Deno.readTextFile(new URL(path, ROOT)));
  const { name, exports, compilerOptions } = await read("deno.json");
  const { imports } = await read("tests/std/map.json");
  const at = (path: string, base: string) =>
    path.startsWith(".") ? new URL(path, new URL(base, ROOT)).href : path;
  const all: Record<string, string> = {};
  for (const [key, path] of Object.entries<string>(imports)) {
    all[key] = at(path, "tests/std/");
  }
  for (const [key, path] of Object.entries<string>(exports)) {
    all[name + key.slice(1)] = at(path, ".");
  }
  // What programs for Deno alone import from npm.
  all["hono"] = `npm:${HONO}`;
  all["hono/"] = `npm:/${HONO}/`;
  return JSON.stringify({ compilerOptions, imports: all });
}
