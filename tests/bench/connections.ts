/**
 * Short connections per second through the adapters, against listeners of the
 * same runtime that read the same bytes.
 *
 * @module
 */

import process from "node:process";
import { compare, type Effort, FULL, print, type Row } from "./_compare.ts";
import {
  type LoadKind,
  type Runtime,
  startLoad,
  startServer,
} from "./_processes.ts";

/** Connections that are open at once. */
const PEERS = 32;

/** A server under test, in two ways. */
interface Case {
  work: string;
  runtime: Runtime;
  script: string;
  target: number;
  /** The load of ours and of the other. */
  kinds: readonly [LoadKind, LoadKind];
}

const CASES: readonly Case[] = [
  {
    work: "connections/s, Deno.listen",
    runtime: "deno",
    script: "_deno_echo.ts",
    target: 0.93,
    kinds: ["echo", "echo"],
  },
  {
    work: "connections/s, Bun.listen",
    runtime: "bun",
    script: "_bun_echo.ts",
    target: 0.95,
    kinds: ["echo", "echo"],
  },
  {
    work: "connections/s, node:http on Node",
    runtime: "node",
    script: "_node_http.ts",
    target: 0.93,
    kinds: ["http", "pure"],
  },
];

/** Measures all of them, or those on one runtime. */
export async function connections(
  effort: Effort,
  only?: string,
): Promise<Row[]> {
  await using load = await startLoad();
  const rows: Row[] = [];
  for (const { work, runtime, script, target, kinds } of CASES) {
    if (only !== undefined && only !== runtime) continue;
    await using ours = await startServer(runtime, script, "ours");
    await using bare = await startServer(runtime, script, "bare");
    const { seconds } = effort;
    rows.push(
      await compare(
        { work, target, unit: "conn/s" },
        effort,
        () => load.run(kinds[0], ours.port, PEERS, seconds),
        () => load.run(kinds[1], bare.port, PEERS, seconds),
      ),
    );
  }
  return rows;
}

if (import.meta.main) print(await connections(FULL, process.argv[2]));
