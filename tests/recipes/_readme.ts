/** The programs of the README. */

import { ROOT } from "../npm_consumer/_package.ts";

const README = await Deno.readTextFile(new URL("README.md", ROOT));

/** The first program under a heading that begins with a text. */
export function programUnder(heading: string, language = "ts"): string {
  const section = README.split(/^#{2,3} /m).find((text) =>
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
