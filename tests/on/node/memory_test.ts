/** Whoever gets an info may do anything to its memory: `./node` on each runtime. */

import { DRIVERS, runScenarios } from "./_drivers.ts";

for (const driver of DRIVERS) {
  Deno.test(`./node on ${driver.runtime}: memory`, async (t) => {
    await runScenarios(t, driver, ["./memory_scenarios.ts"]);
  });
}
