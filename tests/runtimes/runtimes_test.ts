/**
 * The scenarios of `_scenarios.ts` on every runtime, each by a server of its
 * own. The steps name runtime and scenario.
 */

import { assertEquals } from "@std/assert";
import { assertBytes } from "../_bytes.ts";
import { Client } from "../bun/_client.ts";
import { type Scenario, SCENARIOS } from "./_scenarios.ts";
import { RUNTIMES } from "./_servers.ts";

/** Waits for a turn of the loop, so that two pieces are two writes. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

async function play(port: number, scenario: Scenario): Promise<void> {
  const { pieces, sees, payload, isSilent } = scenario;
  using client = await Client.dial(port);
  for (const piece of pieces) {
    await client.send(piece);
    if (pieces.length > 1) await nextTurn();
  }
  if (!isSilent) client.end();
  const received = await client.receiveAll();
  if (sees === "nobody") return assertEquals(received.length, 0);
  const end = received.indexOf(0x0a) + 1;
  const line = new TextDecoder().decode(received.subarray(0, end));
  const real = { hostname: "127.0.0.1", port: client.port };
  assertEquals(JSON.parse(line), sees === "real" ? real : sees);
  assertBytes(received.subarray(end), payload);
}

/** How many scenarios run beside each other. */
const AT_ONCE = 32;

for (const [runtime, start] of Object.entries(RUNTIMES)) {
  Deno.test(`${runtime} serves what all runtimes do`, async (t) => {
    await using server = await start();
    const failures = new Map<string, unknown>();
    const waiting = SCENARIOS.values();
    const workers = Array.from({ length: AT_ONCE }, async () => {
      for (const scenario of waiting) {
        await play(server.port, scenario).catch((error) =>
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
