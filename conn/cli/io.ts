/** What the command line reads from and writes to. */

import { count, printable } from "./show.ts";

/** Standard streams and signals of a process, or substitutes for them in a test. */
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
   * @throws {OutputClosedError} when standard output is closed at its other
   * end.
   */
  write(bytes: Uint8Array): Promise<void>;
  /** Writes a line to standard error. */
  warn(line: string): Promise<void>;
  /**
   * Returns a signal that fires at the first SIGINT or SIGTERM after the call.
   */
  stop(): AbortSignal;
  /**
   * Calls `reload` at each SIGHUP after the call, in place of ending the
   * process.
   */
  onReload?(reload: () => void): void;
}

/** The reader of the output has ended, such as `head`. This is not a failure. */
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
      held = text.endsWith("\r") ? "\r" : ""; // the next chunk decides
      await show(
        text.slice(0, text.length - held.length).replaceAll("\r\n", "\n"),
      );
    },
    close: () => show(held + decoder.decode()),
  });
}

/** Most lines that may wait for the reader of standard error. */
export const MOST_LINES = 256;

/**
 * Calls {@link warn} for lines that peers cause. While nobody reads standard error,
 * lines above {@link MOST_LINES} are left out, or they would fill the memory. The
 * next line that is written says how many.
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
 * Runs work that the system may reject, such as connecting. The error names the
 * work. For a missing permission of Deno, it names the flag.
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

/** Writes all of `bytes` to a writer that may accept only a part at once. */
export async function writeAll(
  to: { write(bytes: Uint8Array): Promise<number> },
  bytes: Uint8Array,
): Promise<void> {
  for (let at = 0; at < bytes.length;) {
    at += await to.write(bytes.subarray(at));
  }
}
