/**
 * Checks how the texts for people are written: all pages, and the comments and
 * messages of all code that is published. Fails with the place of each objection.
 *
 * @module
 */

import { objections } from "./rules.ts";
import { ofComments, ofMarkdown, ofTexts, type Sentence } from "./sentences.ts";

const ROOT = new URL("../../", import.meta.url);

/** Most lines of the page that everybody begins with. */
const MOST_README_LINES = 300;

/** Built files, and data. */
const NOT_WRITTEN = ["conn/cli/page.ts"];

async function* filesUnder(folder: string): AsyncGenerator<string> {
  for await (
    const { name, isDirectory } of Deno.readDir(new URL(folder, ROOT))
  ) {
    if (name === "node_modules" || name === ".git") continue;
    const path = `${folder}${name}`;
    if (isDirectory) yield* filesUnder(`${path}/`);
    else yield path;
  }
}

function isCodeToCheck(path: string): boolean {
  const isShipped = /^(codec|conn)\//.test(path) || path === "mod.ts";
  return isShipped && path.endsWith(".ts") && !NOT_WRITTEN.includes(path);
}

function sentencesOf(path: string, text: string): Sentence[] {
  if (path.endsWith(".md")) return ofMarkdown(text);
  return isCodeToCheck(path) ? [...ofComments(text), ...ofTexts(text)] : [];
}

let count = 0;
let wrong = 0;
for (const path of (await Array.fromAsync(filesUnder(""))).toSorted()) {
  if (!/\.(md|ts)$/.test(path)) continue;
  const text = await Deno.readTextFile(new URL(path, ROOT));
  for (const { line, text: sentence } of sentencesOf(path, text)) {
    count++;
    for (const objection of objections(sentence)) {
      wrong++;
      console.error(`${path}:${line}: ${objection}\n    ${sentence}`);
    }
  }
  const lines = text.trimEnd().split("\n").length;
  if (path === "README.md" && lines > MOST_README_LINES) {
    wrong++;
    console.error(`${path}: ${lines} lines, at most ${MOST_README_LINES}`);
  }
}
console.log(`${count} sentences, ${wrong} objections`);
if (wrong > 0) Deno.exit(1);
