/** Runs the scenarios of `./bun` by the real Bun. */

import { bunCoverage, report } from "./_run.ts";
import { bunProgram } from "../../_npm.ts";
import { LONGEST_RUN } from "../../_within.ts";

const BUN = bunProgram();

for (
  const name of [
    "wire",
    "policy",
    "tls",
    "relay",
    "lazy",
    "memory",
    "header_of",
  ]
) {
  Deno.test(`./bun on Bun: ${name}`, async (t) => {
    const file = `./${name}_scenarios.ts`;
    const options = [`--timeout=${LONGEST_RUN}`, ...bunCoverage(`bun-${name}`)];
    await report(t, [BUN, "test", ...options, file]);
  });
}

Deno.test("./bun on Bun: as without a proxy", async (t) => {
  await report(t, [BUN, "run", "./same_as_native.ts"]);
});
