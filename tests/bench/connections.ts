/**
 * Short connections through the adapters, against listeners of the same runtime
 * that read the same bytes: how many per second, and their CPU time.
 *
 * @module
 */

import { type Effort, type Round, rounds, rowOf } from "./compare.ts";
import {
  type LoadKind,
  runServer,
  type Runtime,
  type ServerWork,
  startLoad,
  startServer,
} from "./_processes.ts";
import type { Row } from "./row.ts";
import { median } from "./spread.ts";

/** Connections that are open at once. */
const PEERS = 32;

/** A server that uses less than this of a core waits for the load. */
const BUSY = 0.9;

/** A server under test, in two ways. */
interface Case {
  work: string;
  script: string;
  /** The least that bare's CPU time is to be of ours. */
  least: number;
  /** The load of ours and of the other. */
  kinds: readonly [LoadKind, LoadKind];
}

const CASES: Readonly<Record<Runtime, Case>> = {
  deno: {
    work: "Deno.listen",
    script: "_deno_echo.ts",
    least: 0.92,
    kinds: ["echo", "echo"],
  },
  bun: {
    work: "Bun.listen",
    script: "_bun_echo.ts",
    least: 0.9,
    kinds: ["echo", "echo"],
  },
  node: {
    work: "node:http on Node",
    script: "_node_http.ts",
    least: 0.94,
    kinds: ["http", "pure"],
  },
};

/** Measures those of a runtime. */
export async function connections(
  effort: Effort,
  runtime: Runtime,
): Promise<Row[]> {
  const { work, script, least, kinds } = CASES[runtime];
  const all: Round<ServerWork>[] = [];
  await using load = await startLoad();
  for (let pair = 0; pair < effort.pairs; pair++) {
    await using ours = await startServer(runtime, script, "ours");
    await using bare = await startServer(runtime, script, "bare");
    all.push(
      ...await rounds(
        effort,
        (seconds) => runServer(load, ours, kinds[0], PEERS, seconds),
        (seconds) => runServer(load, bare, kinds[1], PEERS, seconds),
      ),
    );
  }
  const busy = median(all.map(({ ours }) => ours.cores));
  const facts = { beside: "bare" };
  return [
    rowOf(
      {
        ...facts,
        work: `CPU of a connection, ${work}`,
        unit: "us",
        mark: { least },
      },
      all,
      ({ cpu, count }) => cpu / count / 1000,
      "less",
    ),
    rowOf(
      {
        ...facts,
        work: `connections, ${work}`,
        unit: "1/s",
        ...(busy < BUSY && {
          note: `bound by the load: the server uses ${busy.toFixed(2)} cores`,
        }),
      },
      all,
      ({ rate }) => rate,
    ),
  ];
}
