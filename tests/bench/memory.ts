/**
 * Resident memory that peers hold who send half a header and stay, against a
 * limit.
 *
 * @module
 */

import { readFileSync } from "node:fs";
import { setTimeout } from "node:timers/promises";

import { type Runtime, startLoad, startServer } from "./_processes.ts";
import type { Row } from "./row.ts";

const PEERS = 10_000;

/** What a peer may hold, in KiB. */
const LIMIT = 10;

/** How long in ms nothing may have changed. */
const CALM = 500;

const SCRIPTS: Record<Runtime, string> = {
  deno: "_deno_echo.ts",
  bun: "_bun_echo.ts",
  node: "_node_http.ts",
};

/** Measures them on a runtime. */
export async function memory(runtime: Runtime): Promise<Row[]> {
  await using load = await startLoad();
  await using server = await startServer(runtime, SCRIPTS[runtime], "ours");
  const before = await calmRss(server.pid);
  await load.run("hold", server.port, PEERS, 0);
  const ours = (await calmRss(server.pid) - before) / PEERS;
  const ratio = ours / LIMIT;
  return [{
    work: `memory of ${PEERS} peers within a header`,
    beside: "the limit",
    ours,
    other: LIMIT,
    unit: "KiB/peer",
    ratio: { low: ratio, median: ratio, high: ratio },
    mark: { most: 1 },
  }];
}

/** Resident memory in KiB, once it changes no more. */
async function calmRss(pid: number): Promise<number> {
  for (let last = NaN;;) {
    await setTimeout(CALM);
    const status = readFileSync(`/proc/${pid}/status`, "latin1");
    const rss = Number(/VmRSS:\s*(\d+)/.exec(status)?.[1]);
    if (rss === last) return rss;
    last = rss;
  }
}
