/** mod.ts loads on every runtime, and in browsers once it is bundled. */

import { assert, assertEquals } from "@std/assert";
import { report, run } from "./_run.ts";
import { bunProgram, esbuildProgram, nodeProgram } from "../../_npm.ts";

const RUNTIMES: Record<string, [string, ...string[]]> = {
  Bun: [bunProgram(), "run"],
  Node: [nodeProgram()],
  Deno: [Deno.execPath(), "run", "-A", "--no-lock", "--quiet"],
};

for (const [name, command] of Object.entries(RUNTIMES)) {
  Deno.test(`mod.ts on ${name} loads without a side effect`, async (t) => {
    await report(t, [...command, "./import_scenarios.ts"]);
  });
}

Deno.test("mod.ts bundles for browsers, with nothing of a runtime", async () => {
  const { success, stdout, all } = await run([
    esbuildProgram(),
    "../../../mod.ts",
    ...["--bundle", "--platform=browser", "--format=esm"],
  ]);
  assert(success, all);
  assert(!/node:|\bDeno\b|\bBun\b|\bprocess\b/.test(withoutComments(stdout)));
  const url = URL.createObjectURL(
    new Blob([stdout], { type: "text/javascript" }),
  );
  const bundled: typeof import("../../../mod.ts") = await import(url);
  URL.revokeObjectURL(url);
  const bytes = bundled.encode({ command: "LOCAL" });
  assertEquals(bundled.decode(bytes)?.command, "LOCAL");
});

function withoutComments(code: string): string {
  return code.replace(/\/\*[^]*?\*\//g, "").replace(/^\s*\/\/.*$/gm, "");
}
