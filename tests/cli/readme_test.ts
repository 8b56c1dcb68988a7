/** The pages show what the command line prints. */

import { assert, assertEquals } from "@std/assert";
import { run } from "./_cli.ts";

const PAGES = await Promise.all(
  ["../../README.md", "../../conn/cli/README.md"].map((path) =>
    Deno.readTextFile(new URL(path, import.meta.url))
  ),
);

/** A command and what it printed. */
const CONSOLE_REGEXP = /^```console\n\$ proxy-protocol (.*)\n([^`]*)```$/gm;

const EXAMPLES = PAGES.flatMap((page) => [...page.matchAll(CONSOLE_REGEXP)]);

/** Words of a shell's line; quotes are single and around whole words. */
function words(line: string): string[] {
  return Array.from(
    line.matchAll(/'([^']*)'|(\S+)/g),
    ([, quoted, plain]) => quoted ?? plain ?? "",
  );
}

Deno.test("the pages have examples of the command line", () => {
  assert(EXAMPLES.length >= 3);
});

for (const [, line = "", printed] of EXAMPLES) {
  Deno.test(`a page shows what is printed: ${line.slice(0, 50)}`, async () => {
    assertEquals((await run(words(line))).out, printed);
  });
}

Deno.test("the examples in the help are arguments that work", async () => {
  for (const command of ["decode", "encode"]) {
    const { out } = await run([command, "--help"]);
    const examples = out.split("\nExamples:\n")[1] ?? "";
    for (const line of examples.trimEnd().split("\n")) {
      const args = words(line).slice(1);
      // What needs a file or a server is not at hand.
      if (/--file|--connect/.test(line)) continue;
      assertEquals((await run(args)).code, 0, line);
    }
  }
});
