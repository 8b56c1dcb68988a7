/** The programs of the pages. */

import { ROOT } from "../npm_consumer/_package.ts";

/** A page of the repository. */
export async function readPage(path: string): Promise<string> {
  return await Deno.readTextFile(new URL(path, ROOT));
}

/** The section of a page under a heading that begins with a text, with its subsections. */
export function sectionOf(page: string, heading: string): string {
  const lines = page.split("\n");
  let isCode = false; // where `# a comment` is no heading
  let level = 0;
  let begin = -1;
  for (const [i, line] of lines.entries()) {
    if (line.startsWith("```")) isCode = !isCode;
    const [, marks, title = ""] = line.match(/^(#+) (.*)/) ?? [];
    if (isCode || marks === undefined) continue;
    if (begin >= 0 && marks.length <= level) {
      return lines.slice(begin, i).join("\n");
    }
    if (begin < 0 && title.startsWith(heading)) {
      begin = i;
      level = marks.length;
    }
  }
  if (begin < 0) throw new Error(`No section "${heading}"`);
  return lines.slice(begin).join("\n");
}

/** The programs of a section, in their order. */
export function programsIn(section: string, language = "ts"): string[] {
  const fence = new RegExp(`^\`\`\`${language}\\b[^\n]*\n(.*?)^\`\`\`$`, "gms");
  return Array.from(section.matchAll(fence), ([, program = ""]) => program);
}

/** The first program of a page under a heading that begins with a text. */
export function programUnder(
  page: string,
  heading: string,
  language = "ts",
): string {
  const [program] = programsIn(sectionOf(page, heading), language);
  if (program === undefined) throw new Error(`No program under "${heading}"`);
  return program;
}

/** A program of a page, where it runs on loopback and on ports that are free. */
export function onLoopback(
  program: string,
  ports: { listen: number; dial?: number },
): string {
  return program
    .replaceAll(/\b(2525|8080|8443)\b/g, `${ports.listen}`)
    .replaceAll(/\b443\b/g, `${ports.dial}`)
    .replaceAll("10.0.0.0/8", "127.0.0.0/8")
    .replaceAll(/\b10\.0\.0\.\d\b/g, "127.0.0.1");
}
