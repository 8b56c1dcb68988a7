/**
 * Runs the scenarios on each runtime, by its own test runner. The steps name
 * runtime and scenario.
 */

import { DRIVERS, runScenarios } from "./_drivers.ts";

const FILES = [
  ...["accept", "server", "services", "http", "memory"],
  ...["not_tls", "tls_upon", "resume", "lazy", "testing", "writes", "sticky"],
  ...["encrypted", "header_of", "agents", "connector", "relay", "upgrade"],
].map((name) => `./${name}_scenarios.ts`);

for (const driver of DRIVERS) {
  Deno.test(`./node on ${driver.runtime}`, async (t) => {
    await runScenarios(t, driver, FILES);
  });
}
