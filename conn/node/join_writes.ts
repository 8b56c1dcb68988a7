import { Socket } from "node:net";
import process from "node:process";
import { override } from "./override.ts";

/** Most bytes of a socket that are joined. Copying more costs more than sending it. */
const MOST_KEPT = 16384;

/** Sockets that keep written bytes until the turn has ended. */
const KEEPING = new Set<Socket>();

let isExitWatched = false;

/**
 * Makes a socket send all writes of a turn in one piece. The HTTP server of Bun
 * writes the head and the body of a response separately if the socket is not its
 * own. Joining them answers 1.2 times as many requests per second.
 *
 * The stream is corked with the first write of a turn. So it keeps the order, the
 * counts, `'drain'` and the end.
 */
export function joinWrites(socket: object): void {
  if (!(socket instanceof Socket)) return;
  const { write, destroy } = socket;
  override(socket, "write", (...args: unknown[]) => {
    keep(socket);
    const hasRoom: unknown = Reflect.apply(write, socket, args);
    if (socket.writableLength > MOST_KEPT) send(socket);
    return hasRoom;
  });
  override(socket, "destroy", (...args: unknown[]) => {
    send(socket); // as it would have been by now
    return Reflect.apply(destroy, socket, args);
  });
  if (isExitWatched) return;
  isExitWatched = true;
  process.on("exit", sendAll); // a response, then process.exit()
}

function keep(socket: Socket): void {
  if (KEEPING.has(socket)) return;
  if (KEEPING.size === 0) process.nextTick(sendAll);
  KEEPING.add(socket);
  socket.cork();
}

function send(socket: Socket): void {
  if (KEEPING.delete(socket)) socket.uncork();
}

function sendAll(): void {
  for (const socket of KEEPING) send(socket);
}
