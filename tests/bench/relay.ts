/**
 * `relay` on Deno, Bun and Node against a bare loop of the same runtime that copies,
 * and against haproxy and nginx where they are installed: all take a v2 header
 * and pass one on.
 *
 * @module
 */

import process from "node:process";
import { compare, type Effort, FULL, print, type Row } from "./_compare.ts";
import { type LoadKind, startLoad, startServer } from "./_processes.ts";
import { RIVALS, startRival } from "./_rivals.ts";

/** What is done through a relay, with how many peers at once. */
const WORKS = [
  { kind: "echo", peers: 32, unit: "conn/s", scale: 1 },
  { kind: "bulk", peers: 1, unit: "MB/s", scale: 1e-6 },
] as const;

/** The ratios to reach against a loop and against real proxies. */
const TARGETS: Record<"bare" | "rival", Partial<Record<LoadKind, number>>> = {
  bare: { echo: 0.95, bulk: 0.95 },
  rival: { echo: 0.65, bulk: 0.8 },
};

/** The runtimes that have a `relay`. */
const NAMES = { deno: "Deno", bun: "Bun", node: "Node" } as const;

/** Measures that of a runtime against all that is installed, or against one. */
export async function relays(
  effort: Effort,
  runtime: keyof typeof NAMES,
  only?: string,
): Promise<Row[]> {
  await using load = await startLoad();
  const start = (mode: "ours" | "bare") =>
    startServer(runtime, `_${runtime}_relay.ts`, mode, `${load.port}`);
  await using ours = await start("ours");
  const others = {
    "a bare loop": () => start("bare"),
    haproxy: () => startRival(RIVALS.haproxy, load.port),
    nginx: () => startRival(RIVALS.nginx, load.port),
  };
  const rows: Row[] = [];
  for (const [name, start] of Object.entries(others)) {
    if (only !== undefined && only !== name) continue;
    await using other = await start();
    if (other === undefined) continue;
    const targets = TARGETS[name === "a bare loop" ? "bare" : "rival"];
    for (const { kind, peers, unit, scale } of WORKS) {
      const run = async (port: number) =>
        await load.run(kind, port, peers, effort.seconds) * scale;
      rows.push(
        await compare(
          {
            work: `relay on ${NAMES[runtime]}, ${kind}, against ${name}`,
            target: targets[kind] ?? NaN,
            unit,
          },
          effort,
          () => run(ours.port),
          () => run(other.port),
        ),
      );
    }
  }
  return rows;
}

if (import.meta.main) {
  const [, , runtime, only] = process.argv;
  const name = runtime === "bun" || runtime === "node" ? runtime : "deno";
  print(await relays(FULL, name, only));
}
