/** The examples of `./testing`, each by the test runner that it is written for. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { run } from "./bun/_run.ts";
import { bunProgram, nodeProgram } from "../_npm.ts";

const ROOT = new URL("../../", import.meta.url);
const PACKAGE = "@edgewire/proxy-protocol";

const CONFIG: { exports: Record<string, string> } = JSON.parse(
  await Deno.readTextFile(new URL("deno.json", ROOT)),
);

/** Files by the names that the examples import. */
const FILES: ReadonlyMap<string, string> = new Map([
  ...Object.entries(CONFIG.exports).map(([name, file]) =>
    [PACKAGE + name.slice(1), fileURL(file)] as const
  ),
  ["@std/assert", fileURL("tests/std/assert.ts")],
]);

function fileURL(file: string): string {
  return new URL(file, ROOT).pathname;
}

/** Programs in the documentation of the module. */
async function programs(): Promise<string[]> {
  const source = await Deno.readTextFile(new URL("conn/testing.ts", ROOT));
  const [comment = ""] = /^\/\*\*[^]*?\*\//.exec(source) ?? [];
  const text = comment.replaceAll(/^ \* ?/gm, "");
  return Array.from(
    text.matchAll(/^```ts.*\n([^]*?)^```$/gm),
    ([, program = ""]) => program,
  );
}

/** How each runs, what it is known by, and what the runner says of one test that passed. */
const RUNNERS: Record<
  string,
  { uses: string; command: [string, ...string[]]; says: RegExp }
> = {
  Deno: {
    uses: "Deno.test(",
    command: [Deno.execPath(), "test", "-A", "--no-lock", "--no-config"],
    says: /\nok \| 1 passed \| 0 failed/,
  },
  Bun: {
    uses: '"bun:test"',
    command: [bunProgram(), "test"],
    says: /\n 1 pass\n 0 fail\n/,
  },
  Node: {
    uses: '"node:test"',
    command: [nodeProgram(), "--test", "--test-reporter=spec"],
    says: /ℹ pass 1\nℹ fail 0\n/,
  },
};

Deno.test("./testing has one example for each runtime", async () => {
  const uses = Object.values(RUNNERS).map(({ uses }) => uses);
  const found = (await programs()).map((program) =>
    uses.filter((word) => program.includes(word))
  );
  assertEquals(found, uses.map((word) => [word]));
});

for (const [runtime, { uses, command, says }] of Object.entries(RUNNERS)) {
  Deno.test(`the example of ./testing for ${runtime} passes there, and fails with another client`, async () => {
    const program = (await programs()).find((one) => one.includes(uses)) ?? "";
    const bound = program.replaceAll(
      /(?<=from ")[^"]+(?=")/g,
      (name) => FILES.get(name) ?? name,
    );
    const folder = await Deno.makeTempDir({ prefix: "testing-" });
    try {
      const file = `${folder}/server.test.ts`;
      await Deno.writeTextFile(file, bound);
      const passing = await run([...command, file], folder);
      assert(passing.success, passing.all);
      assertMatch(passing.all, says);
      const other = bound.replace("SENDERS.haproxyV2", "SENDERS.awsNlb");
      await Deno.writeTextFile(file, other);
      assertEquals((await run([...command, file], folder)).success, false);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
}
