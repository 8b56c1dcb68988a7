/** The fenced programs of the documentation. */

import { ROOT } from "../npm_consumer/_package.ts";

/** A fenced program. */
export interface Fence {
  /** File that it is in, from the root of the repository. */
  readonly path: string;
  /** Line of that file, counted from 1, in which its code begins. */
  readonly line: number;
  /** Words that follow the name of the language. */
  readonly attributes: readonly string[];
  readonly code: string;
}

/** Languages that the compiler takes. */
const LANGUAGES = /^(ts|typescript|js|javascript|mts|tsx)$/;

const FENCE_REGEXP =
  /^([ \t]*)(`{3,}|~{3,})([^\s`]+)([^\n`]*)\n(.*?)^\1\2[ \t]*$/gms;

/** Finds the programs of a text in Markdown. */
export function fencesOf(path: string, markdown: string): Fence[] {
  const fences: Fence[] = [];
  for (const match of markdown.matchAll(FENCE_REGEXP)) {
    const [, indent = "", , language = "", attributes = "", body = ""] = match;
    if (!LANGUAGES.test(language)) continue;
    const before = markdown.slice(0, match.index);
    fences.push({
      path,
      line: before.split("\n").length + 1,
      attributes: attributes.split(/\s+/).filter((word) => word !== ""),
      code: body.replaceAll(new RegExp(`^${indent}`, "gm"), ""),
    });
  }
  return fences;
}

/** Reduces TypeScript to what its documentation comments say, each line in its place. */
export function documentationOf(source: string): string {
  let isInside = false;
  const lines = source.split("\n").map((line) => {
    const opens = /^\s*\/\*\*/.test(line);
    if (opens) isInside = true;
    const text = isInside && !opens
      ? line.match(/^\s*\*(?!\/) ?(.*)$/)?.[1] ?? ""
      : "";
    if (line.includes("*/")) isInside = false;
    return text;
  });
  return lines.join("\n");
}

/** Files whose documentation users read. */
async function* documents(folder: string): AsyncGenerator<string> {
  for await (const entry of Deno.readDir(new URL(folder || ".", ROOT))) {
    const path = `${folder}${entry.name}`;
    if (entry.isDirectory) {
      if (/^(codec|conn)(\/|$)/.test(path)) yield* documents(`${path}/`);
    } else if (/\.md$|^(mod|codec\/.*|conn\/.*)\.ts$/.test(path)) {
      yield path;
    }
  }
}

/** Finds the programs of all documentation, in the order of the files' names. */
export async function allFences(): Promise<Fence[]> {
  const paths = (await Array.fromAsync(documents(""))).sort();
  const found = await Promise.all(paths.map(async (path) => {
    const text = await Deno.readTextFile(new URL(path, ROOT));
    return fencesOf(path, path.endsWith(".md") ? text : documentationOf(text));
  }));
  return found.flat();
}
