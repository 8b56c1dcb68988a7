import { Socket } from "node:net";
import process from "node:process";
import { TLSSocket } from "node:tls";
import type { NodeSocket } from "./types.ts";

/** Whether a TLS socket itself can be reset. Only true on Bun. */
const RESETS_TLS = "bun" in process.versions;

/**
 * Closes a socket so that its peer sees a reset, also below TLS. UNIX sockets, TLS
 * over any other stream, and sockets that are not connected yet have no reset. They
 * are destroyed.
 */
export function resetSocket(socket: NodeSocket): void {
  if (!(socket instanceof Socket) || socket.connecting) {
    return void socket.destroy();
  }
  if (!(socket instanceof TLSSocket) || RESETS_TLS) return resetTcp(socket);
  const below: unknown = Reflect.get(socket, "_parent");
  if (below instanceof Socket) return resetTcp(below); // which closes TLS as well
  // For `tls.connect` to a port, only the handle knows the connection below.
  const handle = parentOf(handleOf(socket));
  if (!canReset(handle)) return void socket.destroy();
  // Not at once, because on Deno the end of TLS would be sent before the reset.
  handle.reset(() => socket.destroy());
}

function resetTcp(socket: Socket): void {
  if (RESETS_TLS || canReset(handleOf(socket))) socket.resetAndDestroy();
  else socket.destroy();
}

/** The handle of a connection of TCP. */
interface TcpHandle {
  reset(done: () => void): unknown;
}

function canReset(handle: unknown): handle is TcpHandle {
  return typeof handle === "object" && handle !== null &&
    typeof Reflect.get(handle, "reset") === "function";
}

function handleOf(socket: object): unknown {
  return Reflect.get(socket, "_handle");
}

function parentOf(handle: unknown): unknown {
  return typeof handle === "object" && handle !== null
    ? Reflect.get(handle, "_parent")
    : undefined;
}
