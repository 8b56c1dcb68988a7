/**
 * Measures the codec on the runtime that runs this, beside floors and the
 * libraries of npm, and the connections of the same runtime beside bare ones:
 * `deno task bench`, `bun bench.ts`, `node bench.ts`. Ratios of medians within
 * one run; `codec` or `connections` as an argument measures only these, and
 * `--quick` shows no more than that everything runs.
 *
 * @module
 */

import process from "node:process";
import * as rates from "./tests/bench/_compare.ts";
import { bulk } from "./tests/bench/bulk.ts";
import { codecTable } from "./tests/bench/codec.ts";
import { connections } from "./tests/bench/connections.ts";
import { FULL, QUICK } from "./tests/bench/measure.ts";
import { memory } from "./tests/bench/memory.ts";
import { loadPeers } from "./tests/bench/peers.ts";
import { relays } from "./tests/bench/relay.ts";

const options = process.argv.slice(2);
const isQuick = options.includes("--quick");
const { versions } = process;
const runtime = versions["bun"] ? "bun" : versions["deno"] ? "deno" : "node";

function isWanted(part: string): boolean {
  const parts = options.filter((option) => !option.startsWith("-"));
  return parts.length === 0 || parts.includes(part);
}

if (isWanted("codec")) {
  const name = `${runtime} ${versions[runtime]}`;
  console.log(codecTable(name, loadPeers(), isQuick ? QUICK : FULL));
}
if (isWanted("connections")) {
  const effort = isQuick ? rates.QUICK : rates.FULL;
  const rows = await connections(effort, runtime);
  if (runtime === "deno") rows.push(...await bulk(effort));
  if (runtime !== "node") rows.push(...await relays(effort, runtime));
  if (!isQuick) rows.push(...await memory(runtime));
  console.log(`\n${rates.rowsTable(rows)}`);
  if (runtime === "deno") {
    const { reportTimeToAccept } = await import(
      "./tests/bench/time_to_accept.ts"
    );
    console.log(`\n${await reportTimeToAccept()}`);
  }
}
