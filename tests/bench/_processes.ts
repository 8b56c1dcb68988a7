/**
 * Servers and the load as processes of their own: they print a line when they
 * are ready and end when their input does.
 *
 * @module
 */

import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { bunProgram, nodeProgram } from "../_npm.ts";
import { cpuTime } from "./cpu_time.ts";
import { runtimeName } from "./machine.ts";

/** A process that is asked and answers in lines. */
export interface LineProcess extends AsyncDisposable {
  /** The line that it printed first. */
  readonly ready: string;
  /** Sends a line, and waits for one. */
  ask(line: string): Promise<string>;
}

/** A runtime that servers under test run on. */
export type Runtime = "deno" | "bun" | "node";

/** A program and its arguments. */
type Command = readonly [string, ...string[]];

/** What runs a script: of the runtime that runs this, the very same program. */
function commandOf(runtime: Runtime): Command {
  const isOwn = runtime === runtimeName();
  switch (runtime) {
    case "deno":
      return [isOwn ? process.execPath : "deno", "run", "-A", "--quiet"];
    case "bun":
      return [isOwn ? process.execPath : bunProgram()];
    case "node":
      return [isOwn ? process.execPath : nodeProgram()];
  }
}

/** What runs a script on the runtime that runs this. */
export function ownRuntime(): Command {
  return commandOf(runtimeName());
}

/** Starts a program and waits for its first line. */
export async function startProcess(
  program: string,
  args: readonly string[],
): Promise<LineProcess> {
  const child = spawn(program, args, {
    env: { ...process.env, NO_COLOR: "1" },
    stdio: ["pipe", "pipe", "inherit"],
  });
  const failed = new Promise<never>((_, reject) => child.on("error", reject));
  const ended = new Promise((resolve) => child.on("close", resolve));
  const lines = createInterface({ input: child.stdout })[
    Symbol.asyncIterator
  ]();
  const next = async (): Promise<string> => {
    const { value, done } = await Promise.race([lines.next(), failed]);
    if (done) throw new Error(`${program} ${args.join(" ")} has ended`);
    return value;
  };
  return {
    ready: await next(),
    ask(line) {
      child.stdin.write(`${line}\n`);
      return next();
    },
    async [Symbol.asyncDispose]() {
      child.stdin.end();
      await ended;
    },
  };
}

/** A server under test. */
export interface TestServer extends AsyncDisposable {
  /** Where it listens. */
  readonly port: number;
  /** Its process. */
  readonly pid: number;
}

/** Starts a script of this folder on a runtime. */
export async function startServer(
  runtime: Runtime,
  script: string,
  ...args: string[]
): Promise<TestServer> {
  const [program, ...options] = commandOf(runtime);
  const child = await startProcess(program, [
    ...options,
    pathOf(script),
    ...args,
  ]);
  const [port = 0, pid = 0] = child.ready.split(" ").map(Number);
  return {
    port,
    pid,
    [Symbol.asyncDispose]: () => child[Symbol.asyncDispose](),
  };
}

/** What the load can be asked for; see `load.c`. */
export type LoadKind =
  | "echo"
  | "http"
  | "pure"
  | "bulk"
  | "hold"
  | "stay"
  | "drop";

/** The clients, and the end server behind a relay. */
export interface Load extends AsyncDisposable {
  /** Where the end server listens. */
  readonly port: number;
  /** Puts a server under load. */
  run(
    kind: LoadKind,
    port: number,
    peers: number,
    seconds: number,
  ): Promise<Work>;
}

/** What `load.c` says of a run. */
export interface Work {
  /** In all, of what the kind counts. */
  count: number;
  /** The same per second. */
  rate: number;
}

/** A run, and what the server has spent on it. */
export interface ServerWork extends Work {
  /** CPU time of all its threads, in ns. */
  cpu: number;
  /** How many cores that was on average; well below 1, the load is the bound. */
  cores: number;
}

/** Puts a server under load and looks at its CPU time. */
export async function runServer(
  load: Load,
  { port, pid }: TestServer,
  kind: LoadKind,
  peers: number,
  seconds: number,
): Promise<ServerWork> {
  const before = cpuTime(pid);
  const work = await load.run(kind, port, peers, seconds);
  const cpu = cpuTime(pid) - before;
  return { ...work, cpu, cores: cpu * work.rate / work.count / 1e9 };
}

/** Compiles the load and starts it. */
export async function startLoad(): Promise<Load> {
  const child = await startProgram("load.c");
  return {
    port: Number(child.ready),
    async run(...command) {
      const answer = await child.ask(command.join(" "));
      const [count = NaN, rate = NaN] = answer.split(" ").map(Number);
      return { count, rate };
    },
    [Symbol.asyncDispose]: () => child[Symbol.asyncDispose](),
  };
}

/** Compiles the clients of HTTP and starts them; see `http_load.c` for what to ask. */
export function startHttpLoad(): Promise<LineProcess> {
  return startProgram("http_load.c");
}

/** Compiles a program of this folder and starts it. */
async function startProgram(source: string): Promise<LineProcess> {
  const directory = mkdtempSync(join(tmpdir(), "load-"));
  const program = join(directory, "load");
  try {
    execFileSync("cc", ["-O2", "-o", program, pathOf(source)]);
    return await startProcess(program, []);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** The path of a file of this folder. */
export function pathOf(file: string): string {
  return fileURLToPath(new URL(file, import.meta.url));
}
