/**
 * Relays for a parent, which has several workers. The parent writes a line for each
 * command. The end of these lines is the command to stop, so that no worker outlives
 * its parent. The worker writes lines that begin with a letter for their kind.
 */

import { aborted, type CliIo, print } from "./io.ts";
import { readLines } from "./read_lines.ts";
import type { Services } from "./services.ts";

/** Wishes of the parent. */
export const WISH = {
  counts: "counts",
  reload: "reload",
  stop: "stop",
} as const;

/** Kinds of lines of a worker: that it listens, with its counters; counters; log. */
export const KIND = { listening: "L", counts: "C", log: "O" } as const;

/** Writes lines of a log to the parent. */
export function toParent(io: CliIo): (text: string) => Promise<void> {
  return (text) => print(io, text.replaceAll(/^/gm, KIND.log));
}

/** Relays until the parent, or a signal, says to stop. */
export async function runWorker(
  io: CliIo,
  services: Services,
  grace: number,
): Promise<void> {
  const stopped = io.stop();
  const stopping = Promise.withResolvers<void>();
  const sendCounts = async (kind: string) =>
    await print(io, `${kind}${JSON.stringify(await services.counts())}`);
  await sendCounts(KIND.listening);
  const hear = async () => {
    for await (const wish of readLines(io.input)) {
      if (wish === WISH.counts) await sendCounts(KIND.counts);
      if (wish === WISH.reload) await services.reload();
      if (wish === WISH.stop) stopping.resolve();
    }
  };
  // It fails when there is no parent to write to.
  hear().catch(() => {}).finally(stopping.resolve);
  await Promise.race([stopping.promise, aborted(stopped)]);
  await services.drain(grace);
}
