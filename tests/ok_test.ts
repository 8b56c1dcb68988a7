/** That nothing passes by running nothing. */

import { assertEquals, assertStringIncludes } from "@std/assert";

Deno.test("tests/ok.ts refuses a step that it does not know", async () => {
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", new URL("ok.ts", import.meta.url).pathname, "chekc"],
  }).output();
  assertEquals(code, 2);
  assertStringIncludes(new TextDecoder().decode(stderr), 'Cannot run "chekc"');
});
