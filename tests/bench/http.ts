/**
 * Requests of HTTP per second behind the PROXY protocol, beside other servers of
 * the same runtime: on connections that stay, with ten requests on each, and one.
 *
 * @module
 */

import { type Effort, type Round, rounds, rowOf } from "./compare.ts";
import { cpuTime } from "./cpu_time.ts";
import {
  type LineProcess,
  type Runtime,
  startHttpLoad,
  startServer,
  type TestServer,
} from "./_processes.ts";
import type { Row } from "./row.ts";
import { median } from "./spread.ts";

/** Connections that are open at once. */
const PEERS = 32;

/** A server that uses less than this of a core waits for the load. */
const BUSY = 0.9;

/**
 * What a server of HTTP is warmed with, in warm-ups: one on Bun answers 16,000
 * requests in its first second, 36,000 in the third and 60,000 in the ninth.
 */
const WARM_UPS = 2;

/** What each way of asking still needs then, in warm-ups. */
const WARM_UPS_OF_WAY = 0.2;

/** How many requests come on a connection; 0 for no end. */
const WAYS = [
  { requests: 0, name: "keep-alive" },
  { requests: 10, name: "10 per connection" },
  { requests: 1, name: "1 per connection" },
] as const;

/** What ours is measured beside. */
interface Beside {
  name: string;
  /** Started with `bare` where it is the script of ours. */
  script: string;
  /** Whether it is behind the PROXY protocol too. */
  hasHeader: boolean;
  /** The least ratios, in the order of {@link WAYS}, as far as there is one to reach. */
  least?: readonly number[];
}

/** A server of ours. */
interface Server {
  name: string;
  script: string;
  beside: readonly Beside[];
}

/** A handler of `fetch` on `node:http`, behind the PROXY protocol. */
const HONO: Beside = {
  name: "Hono on node:http, ours",
  script: "_node_hono.ts",
  hasHeader: true,
};

/** The least that has to be done by hand: what is missing to 1 here is ours. */
const BY_HAND: Beside = {
  name: "by hand",
  script: "_node_by_hand.ts",
  hasHeader: true,
};

/** Servers by runtime: whoever adds one adds a line and a script. */
const SERVERS: Readonly<Record<Runtime, readonly Server[]>> = {
  node: [{
    name: "node:http on Node",
    script: "_node_http.ts",
    beside: [bare("_node_http.ts", [0.97, 0.87, 0.75]), BY_HAND],
  }],
  bun: [
    {
      name: "node:http on Bun",
      script: "_node_http.ts",
      beside: [bare("_node_http.ts", [0.6, 0.57, 0.68]), BY_HAND],
    },
    {
      name: "serveHttp on Bun",
      script: "_bun_serve.ts",
      beside: [
        bare("_bun_serve.ts"),
        {
          ...HONO,
          least: [1.3],
        },
      ],
    },
  ],
  deno: [
    {
      name: "node:http on Deno",
      script: "_node_http.ts",
      beside: [bare("_node_http.ts", [0.97, 0.93, 0.8]), BY_HAND],
    },
    {
      name: "serveHttp on Deno",
      script: "_deno_serve.ts",
      beside: [bare("_deno_serve.ts"), HONO],
    },
  ],
};

function bare(
  script: string,
  least?: readonly number[],
): Beside {
  return { name: "bare", script, hasHeader: false, ...(least && { least }) };
}

/** Requests per second, and how many cores the server has used. */
interface Work {
  rate: number;
  cores: number;
}

/** Measures the servers of a runtime. */
export async function http(effort: Effort, runtime: Runtime): Promise<Row[]> {
  const rows: Row[] = [];
  await using load = await startHttpLoad();
  for (const server of SERVERS[runtime]) {
    for (const beside of server.beside) {
      rows.push(...await measure(effort, load, runtime, server, beside));
    }
  }
  return rows;
}

async function measure(
  effort: Effort,
  load: LineProcess,
  runtime: Runtime,
  server: Server,
  { name: beside, script, hasHeader, least }: Beside,
): Promise<Row[]> {
  const all = WAYS.map((): Round<Work>[] => []);
  for (let pair = 0; pair < effort.pairs; pair++) {
    await using ours = await startServer(runtime, server.script, "ours");
    const mode = hasHeader ? "ours" : "bare";
    await using other = await startServer(runtime, script, mode);
    const warmUp = WARM_UPS * effort.warmUp;
    await run(load, ours, 0, true, warmUp);
    await run(load, other, 0, hasHeader, warmUp);
    const warmed = { ...effort, warmUp: WARM_UPS_OF_WAY * effort.warmUp };
    for (const [i, { requests }] of WAYS.entries()) {
      all[i]?.push(
        ...await rounds(
          warmed,
          (seconds) => run(load, ours, requests, true, seconds),
          (seconds) => run(load, other, requests, hasHeader, seconds),
        ),
      );
    }
  }
  return WAYS.map((way, i) => {
    const measured = all[i] ?? [];
    const busy = median(measured.map(({ ours }) => ours.cores));
    const mark = least?.[i];
    return rowOf(
      {
        work: `${server.name}, ${way.name}`,
        beside,
        unit: "req/s",
        ...(mark !== undefined && { mark: { least: mark } }),
        ...(busy < BUSY && {
          note: `bound by the load: the server uses ${busy.toFixed(2)} cores`,
        }),
      },
      measured,
      ({ rate }) => rate,
    );
  });
}

/** Puts a server under load; see `http_load.c`. */
async function run(
  load: LineProcess,
  { port, pid }: TestServer,
  requests: number,
  hasHeader: boolean,
  seconds: number,
): Promise<Work> {
  const [start, before] = [performance.now(), cpuTime(pid)];
  const line = [port, PEERS, requests, Number(hasHeader), seconds].join(" ");
  const rate = Number(await load.ask(line));
  const cpu = cpuTime(pid) - before;
  return { rate, cores: cpu / 1e6 / (performance.now() - start) };
}
