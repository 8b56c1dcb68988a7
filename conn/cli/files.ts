/** Files, on every runtime. */

import { createReadStream } from "node:fs";
import { readFile } from "node:fs/promises";

/**
 * Reads a file as it comes. Deno asks for --allow-read.
 *
 * Reading throws what opening has failed with.
 */
export function readFileChunks(path: string): AsyncIterable<Uint8Array> {
  return createReadStream(path);
}

/** Reads a text whole. Deno asks for --allow-read. */
export async function readText(path: string): Promise<string> {
  return await readFile(path, "utf8");
}
