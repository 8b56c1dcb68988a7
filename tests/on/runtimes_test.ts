/**
 * The scenarios of `_scenarios.ts` on every runtime, each by a server of its
 * own. The steps name runtime and scenario.
 */

import { play } from "./_play.ts";
import { SCENARIOS } from "./_scenarios.ts";
import { RUNTIMES } from "./_servers.ts";

/** How many scenarios run beside each other. */
const AT_ONCE = 32;

for (const [runtime, start] of Object.entries(RUNTIMES)) {
  Deno.test(`${runtime} serves what all runtimes do`, async (t) => {
    await using server = await start();
    const failures = new Map<string, unknown>();
    const waiting = SCENARIOS.values();
    const workers = Array.from({ length: AT_ONCE }, async () => {
      for (const scenario of waiting) {
        const port = server.ports.get(scenario.service ?? "patient") ?? 0;
        await play(port, scenario).catch((error) =>
          failures.set(scenario.name, error)
        );
      }
    });
    await Promise.all(workers);
    for (const { name } of SCENARIOS) {
      await t.step(`${runtime}: ${name}`, () => {
        if (failures.has(name)) throw failures.get(name);
      });
    }
  });
}
