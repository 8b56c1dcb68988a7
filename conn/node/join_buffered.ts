import type { NodeSocket } from "./types.ts";

/**
 * Makes what a socket has buffered one chunk. Deno gives chunk after chunk to a
 * TLS session, though the first has broken it, and that ends the process.
 */
export function joinBuffered(
  socket: Pick<NodeSocket, "read" | "readableLength" | "unshift">,
): void {
  const { readableLength } = socket;
  const chunk = readableLength > 0 ? socket.read(readableLength) : undefined;
  if (chunk instanceof Uint8Array) socket.unshift(chunk);
}
