/**
 * The scenarios of `_scenarios.ts` on every runtime, each by a server of its
 * own. The steps name runtime and scenario.
 */

import { assert, assertEquals } from "@std/assert";
import { assertBytes } from "../_bytes.ts";
import { Client, within } from "../bun/_client.ts";
import { startWorkerd } from "../workerd/_workerd.ts";
import { OPTIONS } from "./_options.ts";
import { type Scenario, SCENARIOS } from "./_scenarios.ts";

/** A server that runs. */
interface Running extends AsyncDisposable {
  port: number;
}

const DRIVERS: Record<string, () => Promise<Running>> = {
  Deno: () => startProgram([Deno.execPath(), "run", "-A", "_deno_server.ts"]),
  Bun: () => startProgram(["npx", "-y", "bun@1.4.5", "_bun_server.ts"]),
  Node: () => startProgram(["npx", "-y", "node@24", "_node_server.ts"]),
  workerd: async () => {
    const service = { role: "tell", options: OPTIONS } as const;
    const workerd = await startWorkerd({ all: service });
    const port = workerd.ports.get("all") ?? 0;
    return {
      port,
      [Symbol.asyncDispose]: () => workerd[Symbol.asyncDispose](),
    };
  },
};

/** Starts a server that prints its port, and ends when its input does. */
async function startProgram(
  [command = "", ...args]: string[],
): Promise<Running> {
  const child = new Deno.Command(command, {
    args,
    cwd: new URL(".", import.meta.url),
    env: { NO_COLOR: "1" },
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const reader = child.stdout.getReader();
  let output = "";
  while (!output.includes("\n")) {
    const { value, done } = await within(reader.read(), "a port", 30_000);
    assert(!done, `${command} ${args.join(" ")} ended`);
    output += new TextDecoder().decode(value);
  }
  return {
    port: Number(output),
    async [Symbol.asyncDispose]() {
      await child.stdin.close();
      await within(child.status, "the server to end");
      await reader.cancel();
    },
  };
}

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

for (const [runtime, start] of Object.entries(DRIVERS)) {
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
