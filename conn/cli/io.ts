/** What the command line reads from and writes to. */

import { count, printable } from "./show.ts";

/** Standard streams and signals of a process, or what stands for them in a test. */
export interface CliIo {
  /** Standard input. */
  readonly input: ReadableStream<Uint8Array>;
  /** Whether standard input is a terminal. */
  readonly isInputTerminal: boolean;
  /**
   * Whether standard output is a terminal. `encode --connect` then escapes the
   * control characters of an answer.
   *
   * @default {false}
   */
  readonly isOutputTerminal?: boolean;
  /**
   * Writes all of `bytes` to standard output.
   *
   * @throws {OutputClosedError} when nobody reads it any more.
   */
  write(bytes: Uint8Array): Promise<void>;
  /** Writes a line to standard error. */
  warn(line: string): Promise<void>;
  /** Fires at the first SIGINT or SIGTERM from the call on. */
  stop(): AbortSignal;
  /** Calls `reload` at each SIGHUP from the call on, instead of ending the process. */
  onReload?(reload: () => void): void;
}

/** Whoever read the output has ended, such as `head`: no failure of ours. */
export class OutputClosedError extends Error {
  /** Name of the class. */
  override name = "OutputClosedError";
}

/** Prints text, made {@link printable}, and a line's end. */
export async function print(io: CliIo, text: string): Promise<void> {
  await io.write(new TextEncoder().encode(`${printable(text)}\n`));
}

/** Writes text, made {@link printable}, to standard error as a line. */
export async function warn(io: CliIo, line: string): Promise<void> {
  await io.warn(printable(line));
}

/**
 * Standard output for the bytes of a peer: as they are, but on a terminal as
 * {@link printable} text, `\r\n` as `\n`. Standard output is not closed.
 */
export function answerOutput(io: CliIo): WritableStream<Uint8Array> {
  if (!io.isOutputTerminal) {
    return new WritableStream({ write: (bytes) => io.write(bytes) });
  }
  const decoder = new TextDecoder();
  let held = "";
  const show = async (text: string) => {
    await io.write(new TextEncoder().encode(printable(text)));
  };
  return new WritableStream({
    async write(bytes) {
      const text = held + decoder.decode(bytes, { stream: true });
      held = text.endsWith("\r") ? "\r" : ""; // what follows says what it is
      await show(
        text.slice(0, text.length - held.length).replaceAll("\r\n", "\n"),
      );
    },
    close: () => show(held + decoder.decode()),
  });
}

/** How many lines may wait for whoever reads standard error. */
export const MOST_LINES = 256;

/**
 * {@link warn} for lines that peers cause: while nobody reads it, those over
 * {@link MOST_LINES} are left out, or they would fill the memory. The next line
 * that is written says how many.
 */
export function boundedWarn(io: CliIo): (line: string) => Promise<void> {
  let waiting = 0;
  let leftOut = 0;
  return async (line) => {
    if (waiting === MOST_LINES) {
      leftOut++;
      return;
    }
    const gap = leftOut === 0
      ? ""
      : `${count(leftOut, "line")} left out here: nobody read them\n`;
    leftOut = 0;
    waiting++;
    try {
      await warn(io, gap + line);
    } finally {
      waiting--;
    }
  };
}

/**
 * Does what the system may refuse, such as to connect; the error says what it
 * was. Permissions of Deno are asked for by their flags.
 */
export async function attempt<T>(
  what: string,
  work: () => T | Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof OutputClosedError) throw cause;
    throw new Error(`Cannot ${what}: ${reasonOf(cause)}`, { cause });
  }
}

/** Resolves when a signal has fired. */
export async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) =>
    signal.addEventListener("abort", () => resolve())
  );
}

/** Failures of the system in its own words: each runtime has others. */
const REASONS: ReadonlyMap<unknown, string> = new Map([
  ["EACCES", "Permission denied"],
  ["EADDRINUSE", "Address already in use"],
  ["EADDRNOTAVAIL", "Cannot assign requested address"],
  ["ECONNREFUSED", "Connection refused"],
  ["ECONNRESET", "Connection reset by peer"],
  ["EHOSTUNREACH", "No route to host"],
  ["EMFILE", "Too many open files"],
  ["ENETUNREACH", "Network is unreachable"],
  ["ENOENT", "No such file or directory"],
  ["ENOTFOUND", "Name or service not known"],
  ["EPIPE", "Broken pipe"],
  ["ETIMEDOUT", "Connection timed out"],
]);

/** What an error says. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const reason = "code" in error && REASONS.get(error.code);
  return reason || error.message;
}

/** Writes all of `bytes` to what may take a part of them. */
export async function writeAll(
  to: { write(bytes: Uint8Array): Promise<number> },
  bytes: Uint8Array,
): Promise<void> {
  for (let at = 0; at < bytes.length;) {
    at += await to.write(bytes.subarray(at));
  }
}
