/** That nothing passes by running nothing. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { outcomeOf, summaryOf } from "./_steps.ts";

Deno.test("tests/ok.ts refuses a step that it does not know", async () => {
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", new URL("ok.ts", import.meta.url).pathname, "chekc"],
  }).output();
  assertEquals(code, 2);
  assertStringIncludes(new TextDecoder().decode(stderr), 'Cannot run "chekc"');
});

Deno.test("outcomeOf() counts tests, and a run without tests as one", () => {
  const counts = (output: string, success: boolean) => {
    const { passed, failed } = outcomeOf(output, success);
    return [passed, failed];
  };
  assertEquals(counts("ok | 12 passed (3 steps) | 0 failed (1s)", true), [
    12,
    0,
  ]);
  assertEquals(counts("FAILED | 12 passed | 2 failed (1s)", false), [12, 2]);
  // It has failed all the same, such as by an error outside of tests.
  assertEquals(counts("ok | 12 passed | 0 failed (1s)", false), [12, 1]);
  assertEquals(counts("Checked 80 files", true), [1, 0]);
  assertEquals(counts("error: not formatted", false), [0, 1]);
  // The output of a run within it comes first.
  assertEquals(
    counts("ok | 1 passed | 0 failed\nFAILED | 2 passed | 3 failed", false),
    [2, 3],
  );
});

Deno.test("summaryOf() names once what was skipped, and ends with the counts", () => {
  const output = "skipped: no haproxy\n./a_test.ts => skipped: no nginx\n" +
    "skipped: no haproxy\nok | 2 passed | 0 failed | 3 ignored (1s)\n";
  assertEquals(
    summaryOf(outcomeOf(output, true)),
    "skipped: no haproxy\nskipped: no nginx\n2 passed, 0 failed",
  );
});
