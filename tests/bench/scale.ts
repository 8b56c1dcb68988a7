/**
 * Many connections that stay open: what it costs to open one among few and among
 * many, and the memory that each holds.
 *
 * @module
 */

import { cpuTime } from "./cpu_time.ts";
import { calmRss } from "./memory.ts";
import { type Runtime, startLoad, startServer } from "./_processes.ts";
import type { Row } from "./row.ts";
import { median, spreadOf } from "./spread.ts";

/** Connections, as many as a limit of 20,000 descriptors lets be open. */
const MANY = 19_000;

/** How many are opened while the time is taken. */
const STEP = 1000;

/** How often these are opened and closed again, among few and among many. */
const ROUNDS = 12;

/** The most by which ours may grow more than bare, which the system makes dearer too. */
const MOST_GROWTH = 1.1;

const SCRIPTS: Record<Runtime, string> = {
  deno: "_deno_echo.ts",
  bun: "_bun_echo.ts",
  node: "_node_echo.ts",
};

/** What was measured of a server, of each round. */
interface Scale {
  /** CPU time to open and close a connection while there are few, in us. */
  few: number[];
  /** The same while there are many. */
  many: number[];
  /** Of one connection, in KiB. */
  memory: number;
}

/** Measures a runtime. */
export async function scale(runtime: Runtime): Promise<Row[]> {
  const ours = await measure(runtime, "ours");
  const bare = await measure(runtime, "bare");
  const growth = ({ few, many }: Scale) =>
    many.map((time, i) => time / (few[i] ?? NaN));
  const [ourGrowth, bareGrowth] = [growth(ours), median(growth(bare))];
  return [
    {
      work: `CPU of a connection among ${MANY}, of that among few`,
      beside: "bare",
      ours: median(ourGrowth),
      other: bareGrowth,
      unit: "times",
      ratio: spreadOf(ourGrowth.map((times) => times / bareGrowth)),
      mark: { most: MOST_GROWTH },
    },
    {
      work: `memory of each of ${MANY} open connections`,
      beside: "bare",
      ours: ours.memory,
      other: bare.memory,
      unit: "KiB",
      ratio: spreadOf([bare.memory / ours.memory]),
    },
  ];
}

/** The load ends the run if one connection is lost, or is not answered. */
async function measure(
  runtime: Runtime,
  mode: "ours" | "bare",
): Promise<Scale> {
  await using load = await startLoad();
  await using server = await startServer(
    runtime,
    SCRIPTS[runtime],
    mode,
    "stay",
  );
  const { port, pid } = server;
  const to = (kind: "stay" | "drop", count: number) =>
    load.run(kind, kind === "stay" ? port : 0, count, 0);
  await to("stay", STEP);
  await to("drop", 0);
  const before = await calmRss(pid);
  await to("stay", MANY); // by which all is compiled, too
  const memory = (await calmRss(pid) - before) / MANY;
  const cpuAmong = async (count: number): Promise<number[]> => {
    const times: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const start = cpuTime(pid);
      await to("stay", count + STEP);
      await to("drop", count);
      await calmRss(pid); // it has closed them
      times.push((cpuTime(pid) - start) / STEP / 1000);
    }
    return times;
  };
  await to("drop", MANY - STEP);
  const many = await cpuAmong(MANY - STEP);
  await to("drop", 0);
  await calmRss(pid);
  return { few: await cpuAmong(0), many, memory };
}
