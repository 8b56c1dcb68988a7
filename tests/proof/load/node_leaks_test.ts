/** What thousands of connections leave behind in servers of `node:net`: nothing. */

import { DRIVERS, runScenarios } from "../../on/node/_drivers.ts";

for (const driver of DRIVERS) {
  Deno.test(`./node on ${driver.runtime}: leak`, async (t) => {
    await runScenarios(t, driver, ["./leak_scenarios.ts"]);
  });
}
