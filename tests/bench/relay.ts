/**
 * `relay` against a bare loop of the same runtime that copies, and against
 * haproxy and nginx where they are installed: all take a v2 header and pass one
 * on.
 *
 * @module
 */

import { type Effort, type Round, rounds, rowOf } from "./compare.ts";
import {
  type LoadKind,
  ownRuntime,
  pathOf,
  type Runtime,
  startLoad,
  startServer,
  type Work,
} from "./_processes.ts";
import { haproxy, NGINX, type Program, startRival } from "./_rivals.ts";
import type { Row } from "./row.ts";

/** What is done through a relay, with how many peers at once. */
const WORKS = [
  { kind: "echo", peers: 32, unit: "conn/s", scale: 1 },
  { kind: "bulk", peers: 1, unit: "MB/s", scale: 1e-6 },
] as const;

/** The least ratios against a loop and against real proxies. */
const MARKS: Record<"bare" | "rival", Partial<Record<LoadKind, number>>> = {
  bare: { echo: 0.95, bulk: 0.95 },
  rival: { echo: 0.65, bulk: 0.8 },
};

/** The runtimes. */
const NAMES: Record<Runtime, string> = {
  deno: "Deno",
  bun: "Bun",
  node: "Node",
};

/** Measures that of a runtime against all that is installed. */
export async function relays(effort: Effort, runtime: Runtime): Promise<Row[]> {
  const name = NAMES[runtime];
  await using load = await startLoad();
  const start = (mode: "ours" | "bare") =>
    startServer(runtime, `_${runtime}_relay.ts`, mode, `${load.port}`);
  const others = {
    "a bare loop": () => start("bare"),
    haproxy: () => startRival(haproxy(1), load.port),
    nginx: () => startRival(NGINX, load.port),
  };
  const rows: Row[] = [];
  for (const [beside, startOther] of Object.entries(others)) {
    const all = new Map<LoadKind, Round<Work>[]>(
      WORKS.map(({ kind }) => [kind, []]),
    );
    for (let pair = 0; pair < effort.pairs; pair++) {
      await using ours = await start("ours");
      await using other = await startOther();
      if (other === undefined) continue;
      for (const { kind, peers } of WORKS) {
        all.get(kind)?.push(
          ...await rounds(
            effort,
            (seconds) => load.run(kind, ours.port, peers, seconds),
            (seconds) => load.run(kind, other.port, peers, seconds),
          ),
        );
      }
    }
    const marks = MARKS[beside === "a bare loop" ? "bare" : "rival"];
    for (const { kind, unit, scale } of WORKS) {
      const measured = all.get(kind) ?? [];
      if (measured.length === 0) continue; // it is not installed
      const least = marks[kind];
      rows.push(rowOf(
        {
          work: `relay, ${kind}, ${name}`,
          beside,
          unit,
          ...(least !== undefined && { mark: { least } }),
        },
        measured,
        ({ rate }) => rate * scale,
      ));
    }
  }
  return rows;
}

/** Connections that are open at once through several workers. */
const WORKER_PEERS = 64;

/** Measures `relay --workers 2` of the command line beside haproxy with two threads. */
export async function workerRelays(
  effort: Effort,
  runtime: Runtime,
): Promise<Row[]> {
  await using load = await startLoad();
  const all: Round<Work>[] = [];
  for (let pair = 0; pair < effort.pairs; pair++) {
    await using ours = await startRival(commandLine(), load.port);
    await using other = await startRival(haproxy(2), load.port);
    if (ours === undefined || other === undefined) return [];
    const echo = (port: number) => (seconds: number) =>
      load.run("echo", port, WORKER_PEERS, seconds);
    all.push(...await rounds(effort, echo(ours.port), echo(other.port)));
  }
  const { echo: least } = MARKS.rival;
  return [rowOf(
    {
      work: `relay --workers 2, echo, ${NAMES[runtime]}`,
      beside: "haproxy with 2 threads",
      unit: "conn/s",
      ...(least !== undefined && { mark: { least } }),
    },
    all,
    ({ rate }) => rate,
  )];
}

/** The command line on the runtime that runs this. */
function commandLine(): Program {
  const [path, ...options] = ownRuntime();
  return {
    path,
    args: (_, port, upstream) => [
      ...options,
      pathOf("../../conn/cli.ts"),
      ...["relay", "--map", `127.0.0.1:${port}=127.0.0.1:${upstream}`],
      ...["--trust", "127.0.0.1", "--send", "v2", "--workers", "2"],
    ],
  };
}
