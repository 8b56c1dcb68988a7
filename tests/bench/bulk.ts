/**
 * Bytes per second out of a `ProxiedConn`, against the stream of the runtime.
 *
 * @module
 */

import process from "node:process";
import { compare, type Effort, FULL, print, type Row } from "./_compare.ts";
import { startLoad, startServer } from "./_processes.ts";

const TARGET = 0.95;

/** Measures all ways to read, or one. */
export async function bulk(effort: Effort, only?: string): Promise<Row[]> {
  await using load = await startLoad();
  const rows: Row[] = [];
  for (const way of ["iteration", "default", "byob", "pipe"]) {
    if (only !== undefined && only !== way) continue;
    await using ours = await startServer("deno", "_deno_bulk.ts", "ours", way);
    await using bare = await startServer("deno", "_deno_bulk.ts", "bare", way);
    const run = async (port: number) =>
      await load.run("bulk", port, 1, effort.seconds) / 1e6;
    rows.push(
      await compare(
        { work: `bulk, ${way}, Deno`, target: TARGET, unit: "MB/s" },
        effort,
        () => run(ours.port),
        () => run(bare.port),
      ),
    );
  }
  return rows;
}

if (import.meta.main) print(await bulk(FULL, process.argv[2]));
