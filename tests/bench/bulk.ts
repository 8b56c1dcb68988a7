/**
 * Bytes per second out of a `ProxiedConn`, against the stream of the runtime.
 *
 * @module
 */

import { type Effort, type Round, rounds, rowOf } from "./compare.ts";
import { startLoad, startServer, type Work } from "./_processes.ts";
import type { Row } from "./row.ts";

const LEAST = 0.95;

/** Measures all ways to read, on Deno. */
export async function bulk(effort: Effort): Promise<Row[]> {
  await using load = await startLoad();
  const rows: Row[] = [];
  for (const way of ["iteration", "default", "byob", "pipe"]) {
    const all: Round<Work>[] = [];
    for (let pair = 0; pair < effort.pairs; pair++) {
      await using ours = await startServer(
        "deno",
        "_deno_bulk.ts",
        "ours",
        way,
      );
      await using bare = await startServer(
        "deno",
        "_deno_bulk.ts",
        "bare",
        way,
      );
      all.push(
        ...await rounds(
          effort,
          (seconds) => load.run("bulk", ours.port, 1, seconds),
          (seconds) => load.run("bulk", bare.port, 1, seconds),
        ),
      );
    }
    rows.push(rowOf(
      {
        work: `bulk, ${way}, Deno`,
        beside: "bare",
        unit: "MB/s",
        mark: { least: LEAST },
      },
      all,
      ({ rate }) => rate / 1e6,
    ));
  }
  return rows;
}
