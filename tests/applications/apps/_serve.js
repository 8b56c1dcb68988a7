/**
 * Serves all applications twice, with the library and without it, and tells what
 * they see. It is run on each runtime by `applications_test.ts`.
 */

import { proxied, ready } from "@edgewire/proxy-protocol/node";
import process from "node:process";
import { createInterface } from "node:readline";
import { loadCases } from "./_cases.js";
import { faults } from "./faults.js";

const runtime = process.argv[2];

/** Errors that nobody has caught: nothing that a client does may end here. */
const uncaught = [];
for (const event of ["uncaughtException", "unhandledRejection"]) {
  process.on(event, (error) => uncaught.push(`${event}: ${error?.stack}`));
}

/** A busy machine keeps a balancer waiting. */
const OPTIONS = { trust: ["127.0.0.1"], timeout: 60_000 };

/** How servers are wrapped. */
const MODES = {
  plain: { wrap: (server) => server, ready: async () => {} },
  proxied: {
    wrap: (server, options) => proxied(server, { ...OPTIONS, ...options }),
    ready,
  },
};

/** Of each case and mode: where it listens, and what it has seen. */
const served = {};

for (const [name, { serve, fault }] of Object.entries(await loadCases())) {
  if (faults[fault]?.of.includes(runtime)) continue;
  for (const [mode, stage] of Object.entries(MODES)) {
    const told = { port: 0, seen: [] };
    (served[name] ??= {})[mode] = told;
    const see = (address) => told.seen.push(`${address}`);
    told.port = await serve({ ...stage, see });
  }
}

/** Whether each fault is where it is said to be. */
async function tellFaults() {
  const told = {};
  for (const [name, { of, isThere }] of Object.entries(faults)) {
    told[name] = { isExpected: of.includes(runtime), isThere: await isThere() };
  }
  return told;
}

console.log(JSON.stringify({ served, uncaught }));
createInterface({ input: process.stdin }).on("line", async () => {
  const faults = await tellFaults();
  console.log(JSON.stringify({ served, uncaught, faults }));
}).on("close", () => process.exit());
