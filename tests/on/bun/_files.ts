/** How many files this process has open, for tests that leave none behind. */

import { readdirSync } from "node:fs";
import { setImmediate } from "node:timers/promises";
import { within } from "./_client.ts";

function openFiles(): number {
  return readdirSync("/proc/self/fd").length;
}

/** Waits until no more files are opened or closed in a turn; how many are open. */
export async function filesAtRest(): Promise<number> {
  let last = 0;
  await within(
    (async () => {
      for (let still = 0; still < 20;) {
        await setImmediate();
        const now = openFiles();
        still = now === last ? still + 1 : 0;
        last = now;
      }
    })(),
    "the connections to close",
  );
  return last;
}

/** Waits until no more files are open than before. */
export async function untilFiles(before: number): Promise<void> {
  await within(
    (async () => {
      while (openFiles() > before) await setImmediate();
    })(),
    `${before} open files`,
  );
}
