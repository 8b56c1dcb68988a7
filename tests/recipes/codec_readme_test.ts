/** Runs the programs of `codec/README.md` from the npm package: each prints what its comments say. */

import { assert, assertEquals } from "@std/assert";
import { installPacked, mustRun } from "../npm_consumer/_package.ts";
import { RUNTIMES } from "./_programs.ts";
import { programsIn, readPage } from "./_readme.ts";

/** `console.log(…); // what it prints` */
const PRINTS_REGEXP = /\bconsole\.log\([^;]*\);[ \t]*\/\/ (.+)/g;

Deno.test("the programs of codec/README.md print what they say", async (t) => {
  const folder = await Deno.makeTempDir({ prefix: "codec-" });
  try {
    await Deno.writeTextFile(`${folder}/package.json`, '{"type":"module"}');
    await installPacked(folder);
    const programs = programsIn(await readPage("codec/README.md"));
    assert(programs.length > 0);
    for (const [i, program] of programs.entries()) {
      await Deno.writeTextFile(`${folder}/main.ts`, program);
      const comments = Array.from(
        program.matchAll(PRINTS_REGEXP),
        ([, text = ""]) => text,
      );
      const calls = program.match(/\bconsole\.log\(/g) ?? [];
      assertEquals(comments.length, calls.length, program);
      for (const [runtime, [command, ...args]] of Object.entries(RUNTIMES)) {
        await t.step(`program ${i + 1} on ${runtime}`, async () => {
          const output = await mustRun(folder, command, ...args, "main.ts");
          assertEquals(output.trimEnd().split("\n"), comments);
        });
      }
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
