/** Whoever gets an info may do anything to its memory: `./bun`. */

import { bunProgram } from "../../_npm.ts";
import { LONGEST_RUN } from "../../_within.ts";
import { bunCoverage, report } from "./_run.ts";

Deno.test("./bun on Bun: memory", async (t) => {
  const options = [`--timeout=${LONGEST_RUN}`, ...bunCoverage("bun-memory")];
  await report(t, [bunProgram(), "test", ...options, "./memory_scenarios.ts"]);
});
