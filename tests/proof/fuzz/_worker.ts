/// <reference lib="deno.worker" />
/** Checks one share after the other, on a thread of its own. */

import { type Counts, fuzz, type Share } from "./_fuzz.ts";

/** What is answered. */
export type Result = { counts: Counts } | { failure: string };

addEventListener("message", ({ data }: MessageEvent<Share>) => {
  try {
    postMessage({ counts: fuzz(data) });
  } catch (error) {
    postMessage({
      failure: error instanceof Error ? error.message : `${error}`,
    });
  }
});
