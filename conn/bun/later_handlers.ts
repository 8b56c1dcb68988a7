import { connOf } from "./conn.ts";
import type {
  BunHandlers,
  BunPayload,
  BunProxiedHandlers,
  BunSocket,
} from "./types.ts";

/** Returns all handlers of a listener but `open`, for sockets that have a connection. */
export function laterHandlers<S extends BunSocket, P extends BunPayload>(
  { timeout, error, connectError, binaryType }: BunHandlers<S, P>,
): Omit<BunProxiedHandlers<S, P>, "open" | "stats"> {
  return {
    data: (socket, payload) => connOf(socket)?.data(payload),
    end: (socket) => connOf(socket)?.end(),
    close: (socket, error) => connOf(socket)?.close(error),
    // Without this handler, the runtime calls `open` after the handshake. Then the
    // handshake would have no time limit.
    handshake: (socket, success, error) =>
      connOf(socket)?.handshake(success, error),
    drain: (socket) => connOf(socket)?.drain(), // which relay needs
    // Only if the application has them, because their presence changes the runtime.
    ...(timeout && { timeout: (socket) => connOf(socket)?.timeout() }),
    ...(error && { error: (socket, error) => connOf(socket)?.error(error) }),
    ...(connectError && { connectError }),
    ...(binaryType && { binaryType }),
  };
}
