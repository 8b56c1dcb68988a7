/** Runs the scenarios of `./bun` by the real Bun. */

import { bunCoverage, report } from "./_run.ts";
import { bunProgram } from "../../_npm.ts";
import { LONGEST_RUN } from "../../_within.ts";

const BUN = bunProgram();

/** Scenarios, each in a file of its own. */
const SCENARIOS = [
  ...["wire", "policy", "tls", "relay", "send", "lazy", "memory"],
  "header_of",
  ...["requests", "strangers", "websocket", "options", "life", "bodies"]
    .map((name) => `http/${name}`),
  ...["http/tls", "http/reload"],
];

for (const name of SCENARIOS) {
  Deno.test(`./bun on Bun: ${name}`, async (t) => {
    const file = `./${name}_scenarios.ts`;
    const coverage = bunCoverage(`bun-${name.replace("/", "-")}`);
    const options = [`--timeout=${LONGEST_RUN}`, ...coverage];
    await report(t, [BUN, "test", ...options, file]);
  });
}

Deno.test("./bun on Bun: as without a proxy", async (t) => {
  await report(t, [BUN, "run", "./same_as_native.ts"]);
});
