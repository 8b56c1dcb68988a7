/**
 * Measures the library on the runtime that runs this: `deno task bench`,
 * `bun bench.ts`, `node bench.ts`. The codec is beside the least code that does
 * the same and beside the packages of npm, connections are beside bare ones.
 *
 * All figures of a row are of one run, all contenders in turn. Arguments:
 * `codec`, `connections` or `http` measures only these; `--write` keeps the results in
 * `tests/bench` and draws its page; `--json` prints them as JSON; `--quick` shows
 * no more than that everything runs.
 *
 * @module
 */

import process from "node:process";
import { parseArgs } from "node:util";
import { bulk } from "./tests/bench/bulk.ts";
import * as codec from "./tests/bench/codec_processes.ts";
import { codecRows } from "./tests/bench/codec_rows.ts";
import * as rates from "./tests/bench/compare.ts";
import { connections } from "./tests/bench/connections.ts";
import { http } from "./tests/bench/http.ts";
import {
  describeMachine,
  disturbance,
  runtimeName,
} from "./tests/bench/machine.ts";
import { memory, relayMemory } from "./tests/bench/memory.ts";
import { loadPeers } from "./tests/bench/peers.ts";
import { relays, workerRelays } from "./tests/bench/relay.ts";
import { resultsText, writeResults } from "./tests/bench/results.ts";
import type { Row } from "./tests/bench/row.ts";
import { scale } from "./tests/bench/scale.ts";

const PARTS = ["codec", "connections", "http"];
const USAGE = `Usage: bench.ts [${
  PARTS.join("] [")
}] [--quick] [--json] [--write]`;

/** Reads the arguments, or says what they may be. */
function readArguments(): {
  parts: readonly string[];
  isQuick: boolean;
  isJson: boolean;
  writes: boolean;
} {
  const { values, positionals } = parseArgs({
    args: process.argv.slice(2),
    allowPositionals: true,
    options: {
      help: { type: "boolean", default: false },
      quick: { type: "boolean", default: false },
      write: { type: "boolean", default: false },
      json: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    console.log(USAGE);
    process.exit();
  }
  const unknown = positionals.find((part) => !PARTS.includes(part));
  if (unknown !== undefined) {
    throw new Error(`Cannot measure "${unknown}": not a part of the bench`);
  }
  const parts = positionals.length === 0 ? PARTS : positionals;
  if (values.write && (values.quick || parts.length < PARTS.length)) {
    throw new Error("Cannot write a page of a part: --write measures all");
  }
  const { quick: isQuick, json: isJson, write: writes } = values;
  return { parts, isQuick, isJson, writes };
}

let read: ReturnType<typeof readArguments>;
try {
  read = readArguments();
} catch (error) {
  console.error(`${error instanceof Error ? error.message : error}\n${USAGE}`);
  process.exit(2);
}
const { parts, isQuick, isJson, writes } = read;

const runtime = runtimeName();
const machine = await describeMachine();
const warning = disturbance(machine);
if (warning !== undefined) console.warn(`Warning: ${warning}`);

const rows: Row[] = [];
if (parts.includes("codec")) {
  loadPeers(); // installed once, before any process measures
  const runs = codec.measureCodec(isQuick ? codec.QUICK : codec.FULL);
  rows.push(...codecRows(runs, runtime === "bun"));
}
if (parts.includes("connections")) {
  const effort = isQuick ? rates.QUICK : rates.FULL;
  rows.push(...await connections(effort, runtime));
  if (runtime === "deno") rows.push(...await bulk(effort));
  rows.push(...await relays(effort, runtime));
  rows.push(...await workerRelays(effort, runtime));
  if (!isQuick) {
    rows.push(...await memory(runtime));
    rows.push(...await relayMemory(runtime));
    rows.push(...await scale(runtime));
  }
}
if (parts.includes("http")) {
  rows.push(...await http(isQuick ? rates.QUICK : rates.FULL, runtime));
}
const results = { machine, rows };
console.log(
  isJson ? JSON.stringify(results, null, 2) : resultsText(results),
);
if (parts.includes("connections") && runtime === "deno" && !isJson) {
  const { reportTimeToAccept } = await import(
    "./tests/bench/time_to_accept.ts"
  );
  console.log(`\n${await reportTimeToAccept()}`);
}
if (writes) writeResults(runtime, results);
