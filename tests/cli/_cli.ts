/** The command line: within the test, or as a process of its own. */

import { type CliIo, runCli } from "../../conn/cli.ts";
import { concat } from "../_bytes.ts";
import { bunProgram, nodeProgram } from "../_npm.ts";
import { OLDEST_NODE } from "../_versions.ts";
import { within } from "../_within.ts";

/** What came of a run. */
export interface Outcome {
  code: number;
  /** Standard output, as bytes and as text. */
  bytes: Uint8Array<ArrayBuffer>;
  out: string;
  /** Standard error. */
  err: string;
}

/** Runs a command within the test; `input` is its standard input, `signal` its end. */
export async function run(
  args: readonly string[],
  input?: Uint8Array<ArrayBuffer>,
  signal: AbortSignal = new AbortController().signal,
  isOutputTerminal = false,
): Promise<Outcome> {
  const written: Uint8Array[] = [];
  let err = "";
  const io: CliIo = {
    input: ReadableStream.from(input === undefined ? [] : [input]),
    isInputTerminal: input === undefined,
    isOutputTerminal,
    write: (bytes) => Promise.resolve(void written.push(bytes.slice())),
    warn: (line) => Promise.resolve(void (err += `${line}\n`)),
    stop: () => signal,
  };
  const code = await runCli(args, io);
  const bytes = concat(written);
  return { code, bytes, out: new TextDecoder().decode(bytes), err };
}

const CLI = new URL("../../conn/cli.ts", import.meta.url).pathname;

/** A runtime on which the command line is tested as a process. */
export interface On {
  name: "Deno" | "Bun" | "Node";
  /** What runs the command line; only Deno asks for permissions. */
  command(permissions: readonly string[]): string[];
}

export const DENO: On = {
  name: "Deno",
  command: (permissions) => [
    ...[Deno.execPath(), "run", "--quiet", "--no-prompt"],
    ...[...permissions, CLI],
  ],
};

/** The oldest Node that is supported. */
export const OLDEST: On = {
  name: "Node",
  command: () => [nodeProgram(OLDEST_NODE), CLI],
};

/** Every runtime. */
export const RUNTIMES: readonly On[] = [
  DENO,
  { name: "Bun", command: () => [bunProgram(), CLI] },
  { name: "Node", command: () => [nodeProgram(), CLI] },
];

/** Defines a test of the command line for each runtime. */
export function test(
  name: string,
  body: (on: On) => Promise<void>,
  ignore = false,
): void {
  for (const on of RUNTIMES) {
    Deno.test({ name: `${name}, on ${on.name}`, ignore, fn: () => body(on) });
  }
}

/** A process of the command line; it is killed where it has not ended. */
export interface Started extends AsyncDisposable {
  /** Waits until standard output, or standard error, matches; the match. */
  out(pattern: RegExp): Promise<RegExpMatchArray>;
  err(pattern: RegExp): Promise<RegExpMatchArray>;
  /** Sends a signal. */
  kill(signal: "SIGTERM" | "SIGINT" | "SIGHUP"): void;
  /** Its process id. */
  readonly pid: number;
  /** Waits for its end. */
  ended(): Promise<Outcome>;
}

/**
 * Starts the command line, on Deno with these permissions and no others;
 * `input` is its standard input, which is closed behind it; it may open so many
 * `files`.
 */
export function start(
  on: On,
  permissions: readonly string[],
  args: readonly string[],
  input: Uint8Array<ArrayBuffer> = new Uint8Array(),
  files?: number,
): Started {
  const limit = files === undefined ? "" : `ulimit -n ${files}; `;
  const child = new Deno.Command("sh", {
    args: [
      ...["-c", `${limit}exec "$@"`, "sh"],
      ...[...on.command(permissions), ...args],
    ],
    env: { NO_COLOR: "1" },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const out = new Collected(child.stdout);
  const err = new Collected(child.stderr);
  // One that ends without reading its input is fine.
  const fed = new Response(input).body?.pipeTo(child.stdin).catch(() => {});
  let hasEnded = false;
  const ended = async () => {
    const { code } = await within(child.status, `the end of ${args}`);
    hasEnded = true;
    await Promise.all([fed, out.whole, err.whole]);
    return { code, bytes: out.bytes, out: out.text, err: err.text };
  };
  return {
    out: (pattern) => out.until(pattern),
    err: (pattern) => err.until(pattern),
    kill: (signal) => child.kill(signal),
    pid: child.pid,
    ended,
    async [Symbol.asyncDispose]() {
      if (hasEnded) return;
      child.kill("SIGKILL");
      await ended();
    },
  };
}

/** A stream that is read as it comes. */
class Collected {
  readonly whole: Promise<void>;
  readonly #chunks: Uint8Array[] = [];
  #more = Promise.withResolvers<void>();

  constructor(stream: ReadableStream<Uint8Array>) {
    this.whole = this.#read(stream);
  }

  async #read(stream: ReadableStream<Uint8Array>): Promise<void> {
    for await (const chunk of stream) {
      this.#chunks.push(chunk);
      this.#more.resolve();
      this.#more = Promise.withResolvers();
    }
    this.#more.reject(new Error(`Ended with: ${this.text}`));
    this.#more.promise.catch(() => {});
  }

  get bytes(): Uint8Array<ArrayBuffer> {
    return concat(this.#chunks);
  }

  get text(): string {
    return new TextDecoder().decode(this.bytes);
  }

  until(pattern: RegExp): Promise<RegExpMatchArray> {
    return within(this.#find(pattern), `${pattern}`)
      .catch((cause) => {
        throw new Error(`Not there: ${pattern} in ${this.text}`, { cause });
      });
  }

  async #find(pattern: RegExp): Promise<RegExpMatchArray> {
    for (;;) {
      const match = pattern.exec(this.text);
      if (match !== null) return match;
      await this.#more.promise;
    }
  }
}
