/**
 * Real servers in the foreground, each in a directory of its own and on
 * loopback ports that were free, and what was seen of them.
 *
 * @module
 */

import { delimiter } from "node:path";
import { freePort } from "../../_ports.ts";
import { LONGEST_WAIT, within } from "../../_within.ts";
import { CERT, KEY } from "../../conn/_loopback.ts";

/** How often to start anew, in case somebody else has taken a port. */
const ATTEMPTS = 3;

/** How long a server may take to end before it is killed, in ms. */
const STOP_TIMEOUT = 5000;

/** How long to wait before the next try to connect, in ms. */
const RETRY_DELAY = 5;

/** Also where programs are that are not on everybody's path. */
const DIRECTORIES = [
  ...(Deno.env.get("PATH") ?? "").split(delimiter),
  "/usr/sbin",
  "/usr/local/sbin",
];

/** What a server is started with. */
export interface Launch {
  /** A name for {@link findProgram}, or a path. */
  program: string;
  /** Arguments that keep it in the foreground. */
  args: readonly string[];
  /** Where it runs. */
  cwd?: string;
  /** Added to the environment. */
  env?: Record<string, string>;
  /** TCP ports of 127.0.0.1 that answer when it has started. */
  ready: readonly number[];
}

/** What a configuration is made of. */
export interface Places {
  /** An empty directory. */
  directory: string;
  /** Ports that are free. */
  ports: readonly number[];
  /** A PEM file with a certificate and its key. */
  cert: string;
  /** A PEM file with the certificate alone. */
  certFile: string;
  /** A PEM file with the key alone. */
  keyFile: string;
}

/** A server that listens; it ends by `await using`. */
export interface Running extends AsyncDisposable {
  /** Its directory, removed when it has ended. */
  readonly directory: string;
  /** The ports that it was configured with. */
  readonly ports: readonly number[];
  /** What it wrote to stdout and stderr so far. */
  readonly output: () => string;
}

/** What a system did with one input. */
export interface Row {
  /** Its name, such as `haproxy`. */
  system: string;
  /** Its version. */
  version: string;
  /** What it does to a header, seen from the system. */
  direction: "sender" | "receiver";
  /** What was tried. */
  input: string;
  /** What was to come of it. */
  expected: string;
  /** What came of it. */
  seen: string;
  /** Whether the two are the same. */
  ok: boolean;
  /** Why it differs from what we would do. */
  note?: string;
}

const rows: Row[] = [];

/** What was said to be missing. */
const told = new Set<string>();

/** Notes a row of the matrix. */
export function record(row: Row): void {
  rows.push(row);
}

/** All rows so far. */
export function recorded(): readonly Row[] {
  return rows;
}

/** Where a program is, by its name. */
export function findProgram(name: string): string | undefined {
  return DIRECTORIES.map((directory) => `${directory}/${name}`).find(isFile);
}

/**
 * Whether the tests of a system are to be left out because a program of it is
 * not there. In CI they are not: they fail.
 */
export function isMissing(...names: string[]): boolean {
  const missing = names.filter((name) =>
    name.includes("/") ? !isFile(name) : findProgram(name) === undefined
  );
  if (missing.length === 0 || Deno.env.get("CI") === "true") return false;
  for (const name of missing) {
    if (!told.has(name)) console.log(`skipped: no ${name}`);
    told.add(name);
  }
  return true;
}

/** Starts a server and waits until it listens. */
export async function start(
  portCount: number,
  configure: (places: Places) => Promise<Launch> | Launch,
): Promise<Running> {
  let output = "";
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    await using opened = new AsyncDisposableStack();
    const directory = await Deno.makeTempDir();
    opened.defer(() => Deno.remove(directory, { recursive: true }));
    const ports = freePorts(portCount);
    // Outside the directory, which a server may want to find empty.
    const secrets = await Deno.makeTempDir();
    opened.defer(() => Deno.remove(secrets, { recursive: true }));
    const launch = await configure({
      directory,
      ports,
      cert: await write(`${secrets}/server.pem`, CERT + KEY),
      certFile: await write(`${secrets}/cert.pem`, CERT),
      keyFile: await write(`${secrets}/key.pem`, KEY),
    });
    const child = opened.use(spawn(launch));
    if (await isListening(child, launch.ready)) {
      const ends = opened.move();
      return {
        directory,
        ports,
        output: child.output,
        [Symbol.asyncDispose]: () => ends.disposeAsync(),
      };
    }
    await child[Symbol.asyncDispose]();
    output = `${launch.program} did not start: ${child.output()}`;
  }
  throw new Error(output);
}

/** A process, whose output is kept. */
interface Child extends AsyncDisposable {
  readonly hasEnded: () => boolean;
  readonly ended: Promise<unknown>;
  readonly output: () => string;
}

function spawn({ program, args, cwd, env }: Launch): Child {
  const path = program.includes("/") ? program : findProgram(program);
  if (path === undefined) throw new Error(`${program} is not installed`);
  const child = new Deno.Command(path, {
    args: [...args],
    ...(cwd === undefined ? {} : { cwd }),
    ...(env === undefined ? {} : { env }),
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  let text = "";
  const closing = new AbortController();
  const collect = (stream: ReadableStream<Uint8Array<ArrayBuffer>>) =>
    stream.pipeThrough(new TextDecoderStream()).pipeTo(
      new WritableStream({
        write: (part) => {
          text += part;
        },
      }),
      { signal: closing.signal },
    ).catch(() => {});
  const collected = Promise.all([
    collect(child.stdout),
    collect(child.stderr),
  ]);
  let hasEnded = false;
  const ended = child.status.then(() => {
    hasEnded = true;
  });
  return {
    hasEnded: () => hasEnded,
    ended,
    output: () => text,
    async [Symbol.asyncDispose]() {
      if (!hasEnded) child.kill("SIGTERM");
      if (!await endsWithin(ended, STOP_TIMEOUT)) child.kill("SIGKILL");
      await ended;
      // A process that it left behind could keep the pipes open.
      if (!await endsWithin(collected, RETRY_DELAY * 20)) closing.abort();
      await collected;
    },
  };
}

/** Waits until all ports answer; `false` when that does not come to pass. */
async function isListening(
  child: Child,
  ports: readonly number[],
): Promise<boolean> {
  const deadline = Date.now() + LONGEST_WAIT;
  const waiting = [...ports];
  while (!child.hasEnded() && Date.now() < deadline) {
    const port = waiting[0];
    if (port === undefined) return true;
    if (await answers(port)) waiting.shift();
    else await endsWithin(child.ended, RETRY_DELAY);
  }
  return false;
}

/**
 * Waits until a server answers a connection or closes it. A port can be
 * connected to before the server has opened all others; this comes after.
 */
export async function untilServed(port: number): Promise<void> {
  using conn = await Deno.connect({ hostname: "127.0.0.1", port });
  await within(conn.read(new Uint8Array(1)), `an answer of port ${port}`);
}

async function answers(port: number): Promise<boolean> {
  try {
    (await Deno.connect({ hostname: "127.0.0.1", port })).close();
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.ConnectionRefused) return false;
    throw error;
  }
}

/** Whether a promise settles within a time, in ms. */
async function endsWithin(
  promise: Promise<unknown>,
  time: number,
): Promise<boolean> {
  const late = Promise.withResolvers<boolean>();
  const timer = setTimeout(late.resolve, time, false);
  const isInTime = await Promise.race([promise.then(() => true), late.promise]);
  clearTimeout(timer);
  return isInTime;
}

function freePorts(count: number): number[] {
  const ports = new Set<number>();
  while (ports.size < count) ports.add(freePort());
  return [...ports];
}

async function write(path: string, text: string): Promise<string> {
  await Deno.writeTextFile(path, text);
  return path;
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}
