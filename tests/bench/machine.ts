/** What a run was measured on, and whether anything else ran there. */

import { readFileSync } from "node:fs";
import { arch, cpus, loadavg, release, totalmem, type } from "node:os";
import process from "node:process";
import { setTimeout } from "node:timers/promises";

/** A machine and a runtime. */
export interface Machine {
  cpu: string;
  cores: number;
  /** In GiB. */
  memory: number;
  system: string;
  runtime: string;
  /** As ISO 8601 has it. */
  date: string;
  /** Share of the cores that others used before the run; `undefined` where the system does not tell. */
  busy?: number;
  /** Mean number of processes that ran or wanted to in the last minute. */
  load: number;
}

/** How long to look whether the machine is quiet, in ms. */
const LOOK_TIME = 1000;

/** The share of the cores that others may use. */
const QUIET = 0.05;

/** The runtime that runs this: its name, as in `process.versions`. */
export function runtimeName(): "deno" | "bun" | "node" {
  const { versions } = process;
  return versions["bun"] ? "bun" : versions["deno"] ? "deno" : "node";
}

/** Describes the machine, after a look at what else runs. */
export async function describeMachine(): Promise<Machine> {
  const name = runtimeName();
  const [first] = cpus();
  const before = cpuTimes();
  await setTimeout(LOOK_TIME);
  const after = cpuTimes();
  const busy = before && after &&
    1 - (after.idle - before.idle) / (after.all - before.all);
  return {
    cpu: first?.model.trim() ?? "unknown",
    cores: cpus().length,
    memory: Math.round(totalmem() / 2 ** 30),
    system: `${type()} ${release()} ${arch()}`,
    runtime: `${name} ${process.versions[name]}`,
    date: new Date().toISOString(),
    ...(busy !== undefined && { busy }),
    load: loadavg()[0] ?? NaN,
  };
}

/** A machine in a sentence. */
export function machineText(machine: Machine): string {
  const { runtime, cpu, cores, memory, system, date } = machine;
  return `${runtime}, ${cores} cores of ${cpu}, ${memory} GiB, ${system}, ${
    date.slice(0, 10)
  }`;
}

/** A warning if others used the machine; `undefined` if they did not. */
export function disturbance(
  { busy, load, cores }: Machine,
): string | undefined {
  const isLoaded = load > cores / 2;
  if (!isLoaded && (busy ?? 0) <= QUIET) return undefined;
  return `the machine is not quiet: ${
    busy === undefined ? "" : `others use ${(busy * 100).toFixed(0)} % of it, `
  }load ${load.toFixed(1)} on ${cores} cores`;
}

/** Ticks of all cores since the start of the system. */
function cpuTimes(): { idle: number; all: number } | undefined {
  try {
    const [line = ""] = readFileSync("/proc/stat", "latin1").split("\n");
    const ticks = line.trim().split(/\s+/).slice(1, 9).map(Number);
    const [, , , idle = 0, wait = 0] = ticks;
    return { idle: idle + wait, all: ticks.reduce((sum, n) => sum + n, 0) };
  } catch {
    return undefined; // not Linux
  }
}
