/**
 * Resident memory that peers hold who send half a header and stay, and of idle
 * relayed connections, against limits.
 *
 * @module
 */

import { readFileSync } from "node:fs";
import { setTimeout } from "node:timers/promises";

import {
  type Load,
  type LoadKind,
  type Runtime,
  startLoad,
  startServer,
  type TestServer,
} from "./_processes.ts";
import type { Row } from "./row.ts";
import { spreadOf } from "./spread.ts";

const PEERS = 10_000;

/** What a peer may hold, in KiB. */
const LIMIT = 10;

/** Relayed connections, each of which has two descriptors on either side. */
const RELAYED = 4000;

/** How many come and go before. */
const WARM_UP = 500;

/** What a relayed connection may hold, in KiB; haproxy needs 3.6. */
const RELAY_LIMITS: Record<Runtime, number> = { deno: 20, bun: 6, node: 10 };

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
  const ours = await memoryOf(load, server, "hold", PEERS);
  return [limitRow(`memory of ${PEERS} peers within a header`, ours, LIMIT)];
}

/** Measures relayed connections that nothing comes through any more. */
export async function relayMemory(runtime: Runtime): Promise<Row[]> {
  await using load = await startLoad();
  await using server = await startServer(
    runtime,
    `_${runtime}_relay.ts`,
    "ours",
    `${load.port}`,
  );
  await load.run("stay", server.port, WARM_UP, 0);
  await load.run("drop", 0, 0, 0);
  const ours = await memoryOf(load, server, "stay", RELAYED);
  return [
    limitRow(
      `memory of ${RELAYED} idle relayed connections`,
      ours,
      RELAY_LIMITS[runtime],
    ),
  ];
}

/** How much more a server holds for each peer, in KiB. */
async function memoryOf(
  load: Load,
  { port, pid }: TestServer,
  kind: LoadKind,
  peers: number,
): Promise<number> {
  const before = await calmRss(pid);
  await load.run(kind, port, peers, 0);
  return (await calmRss(pid) - before) / peers;
}

function limitRow(work: string, ours: number, limit: number): Row {
  return {
    work,
    beside: "the limit",
    ours,
    other: limit,
    unit: "KiB/peer",
    ratio: spreadOf([ours / limit]),
    mark: { most: 1 },
  };
}

/** Resident memory in KiB, once it changes no more. */
export async function calmRss(pid: number): Promise<number> {
  for (let last = NaN;;) {
    await setTimeout(CALM);
    const status = readFileSync(`/proc/${pid}/status`, "latin1");
    const rss = Number(/VmRSS:\s*(\d+)/.exec(status)?.[1]);
    if (rss === last) return rss;
    last = rss;
  }
}
