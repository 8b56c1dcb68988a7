/** What thousands of connections of each kind leave behind on Bun: nothing. */

import { bunProgram } from "../../_npm.ts";
import { LONGEST_RUN } from "../../_within.ts";
import { report } from "../../on/bun/_run.ts";

Deno.test("./bun on Bun: leak", async (t) => {
  const options = [`--timeout=${LONGEST_RUN}`];
  await report(t, [bunProgram(), "test", ...options, "./leak_scenarios.ts"]);
});
