import { connOf } from "./conn.ts";
import type {
  BunHandlers,
  BunPayload,
  BunProxiedHandlers,
  BunSocket,
} from "./types.ts";

/** All handlers of a listener but `open`, for sockets that have a connection by then. */
export function laterHandlers<S extends BunSocket, P extends BunPayload>(
  { timeout, error, connectError, binaryType }: BunHandlers<S, P>,
): Omit<BunProxiedHandlers<S, P>, "open" | "stats"> {
  return {
    data: (socket, payload) => connOf(socket)?.data(payload),
    end: (socket) => connOf(socket)?.end(),
    close: (socket, error) => connOf(socket)?.close(error),
    // Without one, the runtime calls open after the handshake, which would then have no deadline.
    handshake: (socket, success, error) =>
      connOf(socket)?.handshake(success, error),
    drain: (socket) => connOf(socket)?.drain(), // which relay needs
    // The runtime behaves differently where an application has none of these.
    ...(timeout && { timeout: (socket) => connOf(socket)?.timeout() }),
    ...(error && { error: (socket, error) => connOf(socket)?.error(error) }),
    ...(connectError && { connectError }),
    ...(binaryType && { binaryType }),
  };
}
