/// <reference lib="deno.worker" />
/** Checks one share after the other, on a thread of its own. */

import { fuzz, type Share } from "./_fuzz.ts";

addEventListener("message", ({ data }: MessageEvent<Share>) => {
  postMessage(fuzz(data));
});
