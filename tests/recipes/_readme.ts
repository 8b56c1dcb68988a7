/** The programs of the pages. */

import { ROOT } from "../npm_consumer/_package.ts";

/** A page of the repository. */
export async function readPage(path: string): Promise<string> {
  return await Deno.readTextFile(new URL(path, ROOT));
}

const README = await readPage("README.md");

/** The first program of a page under a heading that begins with a text. */
export function programUnder(
  heading: string,
  language = "ts",
  page = README,
): string {
  const section = page.split(/^#{2,3} /m).find((text) =>
    text.startsWith(heading)
  );
  const [, program] = section?.match(
    new RegExp(`^\`\`\`${language}\\b[^\n]*\n(.*?)^\`\`\`$`, "ms"),
  ) ?? [];
  if (program === undefined) throw new Error(`No program under "${heading}"`);
  return program;
}

/** A program of the README, where it runs on loopback and on ports that are free. */
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
