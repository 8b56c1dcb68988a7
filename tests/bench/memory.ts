/**
 * Resident memory that peers hold who send half a header and stay, against a
 * limit.
 *
 * @module
 */

import { readFileSync } from "node:fs";
import process from "node:process";
import { setTimeout } from "node:timers/promises";
import { print, type Row } from "./_compare.ts";
import { type Runtime, startLoad, startServer } from "./_processes.ts";

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

/** Measures them on all runtimes, or on one. */
export async function memory(only?: string): Promise<Row[]> {
  const rows: Row[] = [];
  for (const runtime of ["deno", "bun", "node"] as const) {
    if (only !== undefined && only !== runtime) continue;
    await using load = await startLoad();
    await using server = await startServer(runtime, SCRIPTS[runtime], "ours");
    const before = await calmRss(server.pid);
    await load.run("hold", server.port, PEERS, 0);
    const ours = (await calmRss(server.pid) - before) / PEERS;
    rows.push({
      work: `memory, ${PEERS} peers in a header, ${runtime}`,
      ours,
      other: LIMIT,
      ratio: LIMIT / ours,
      target: 1,
      unit: "KiB/peer",
    });
  }
  return rows;
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

if (import.meta.main) print(await memory(process.argv[2]));
