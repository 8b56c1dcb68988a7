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

/** A process that is asked and answers in lines. */
export interface LineProcess extends AsyncDisposable {
  /** The line that it printed first. */
  readonly ready: string;
  /** Sends a line, and waits for one. */
  ask(line: string): Promise<string>;
}

/** What runs a script, by the runtime's name: a program and its arguments. */
const RUNTIMES = {
  deno: ["deno", "run", "-A", "--quiet"],
  bun: [bunProgram()],
  node: [nodeProgram()],
} as const;

/** A runtime that servers under test run on. */
export type Runtime = keyof typeof RUNTIMES;

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
  const [program, ...options] = RUNTIMES[runtime];
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
export type LoadKind = "echo" | "http" | "pure" | "bulk" | "hold" | "drop";

/** The clients, and the end server behind a relay. */
export interface Load extends AsyncDisposable {
  /** Where the end server listens. */
  readonly port: number;
  /** Puts a server under load; the number that `load.c` says for the kind. */
  run(
    kind: LoadKind,
    port: number,
    peers: number,
    seconds: number,
  ): Promise<number>;
}

/** Compiles the load and starts it. */
export async function startLoad(): Promise<Load> {
  const child = await startProgram("load.c");
  return {
    port: Number(child.ready),
    run: async (...command) => Number(await child.ask(command.join(" "))),
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

function pathOf(file: string): string {
  return fileURLToPath(new URL(file, import.meta.url));
}
