/** Runs the scenarios of `./bun` by the real Bun. */

import { bunCoverage, report } from "./_run.ts";

const BUN = ["npx", "-y", "bun@1.4.5"] as const;

for (const name of ["wire", "policy", "tls", "leak"]) {
  Deno.test(`./bun on Bun: ${name}`, async (t) => {
    const file = `./${name}_scenarios.ts`;
    const options = ["--timeout=60000", ...bunCoverage(`bun-${name}`)];
    await report(t, [...BUN, "test", ...options, file]);
  });
}

Deno.test("./bun on Bun: as without a proxy", async (t) => {
  await report(t, [...BUN, "run", "./same_as_native.ts"]);
});
