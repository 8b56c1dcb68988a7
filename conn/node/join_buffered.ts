import type { NodeSocket } from "./types.ts";

/**
 * Joins the buffered bytes of a socket into one chunk. Deno passes every chunk to a
 * TLS session, even after the first has broken it, and that ends the process.
 */
export function joinBuffered(
  socket: Pick<NodeSocket, "read" | "readableLength" | "unshift">,
): void {
  const { readableLength } = socket;
  const chunk = readableLength > 0 ? socket.read(readableLength) : undefined;
  if (chunk instanceof Uint8Array) socket.unshift(chunk);
}
