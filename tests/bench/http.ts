/**
 * Requests of HTTP per second behind the PROXY protocol, beside the same server
 * without it: on connections that stay, with ten requests on each, and one.
 *
 * @module
 */

import process from "node:process";
import { compare, type Effort, FULL, print, type Row } from "./_compare.ts";
import {
  type LineProcess,
  type Runtime,
  startHttpLoad,
  startServer,
} from "./_processes.ts";

/** Connections that are open at once. */
const PEERS = 32;

/** A server under test, started with `ours` or `bare`. */
interface Server {
  name: string;
  runtime: Runtime;
  script: string;
  /** Ratios to reach, in the order of {@link WAYS}. */
  targets: readonly [number, number, number];
}

/** How many requests come on a connection; 0 for no end. */
const WAYS = [
  { requests: 0, name: "keep-alive" },
  { requests: 10, name: "10 per connection" },
  { requests: 1, name: "1 per connection" },
] as const;

const SERVERS: readonly Server[] = [
  {
    name: "node:http on Node",
    runtime: "node",
    script: "_node_http.ts",
    targets: [0.97, 0.87, 0.75],
  },
  {
    name: "node:http on Bun",
    runtime: "bun",
    script: "_node_http.ts",
    targets: [0.6, 0.57, 0.68],
  },
  {
    name: "Bun.serve",
    runtime: "bun",
    script: "_bun_serve.ts",
    targets: [0.33, 0.27, 0.4],
  },
];

/** Measures all of them, or those on one runtime. */
export async function http(effort: Effort, only?: string): Promise<Row[]> {
  await using load = await startHttpLoad();
  const rows: Row[] = [];
  for (const { name, runtime, script, targets } of SERVERS) {
    if (only !== undefined && only !== runtime) continue;
    await using ours = await startServer(runtime, script, "ours");
    await using bare = await startServer(runtime, script, "bare");
    for (const [i, way] of WAYS.entries()) {
      const ask = (port: number, header: 0 | 1) =>
        askLoad(load, port, way.requests, header, effort.seconds);
      rows.push(
        await compare(
          {
            work: `${name}, ${way.name}`,
            target: targets[i] ?? 1,
            unit: "req/s",
          },
          effort,
          () => ask(ours.port, 1),
          () => ask(bare.port, 0),
        ),
      );
    }
  }
  return rows;
}

/** Requests per second of a server; see `http_load.c`. */
async function askLoad(
  load: LineProcess,
  port: number,
  requests: number,
  header: 0 | 1,
  seconds: number,
): Promise<number> {
  const line = [port, PEERS, requests, header, seconds].join(" ");
  return Number(await load.ask(line));
}

if (import.meta.main) print(await http(FULL, process.argv[2]));
