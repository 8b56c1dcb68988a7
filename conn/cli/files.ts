/** Files, on every runtime. */

import { createReadStream } from "node:fs";

/**
 * Reads a file as it comes. Deno asks for --allow-read.
 *
 * Reading throws what opening has failed with.
 */
export function readFileChunks(path: string): AsyncIterable<Uint8Array> {
  return createReadStream(path);
}
