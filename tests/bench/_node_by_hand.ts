/**
 * Answers requests on connections whose header is cut off: nothing is read of it,
 * trusted, shown or timed. This is what the runtime allows at best.
 */

import { createServer } from "node:http";
import { createServer as createFront, Socket } from "node:net";
import process from "node:process";
import { joinWrites } from "../../conn/node/join_writes.ts";
import { HEADER_LENGTH, listenHere } from "./_server.ts";

const server = createServer((_request, response) => response.end("hello\n"));
const emit = server.emit.bind(server);

/** Hands a socket over without the bytes of its header, which come in one piece. */
function cutHeader(socket: Socket): void {
  const { push } = socket;
  socket.push = (chunk: Uint8Array) => {
    socket.push = push;
    socket.push(chunk.subarray(HEADER_LENGTH));
    queueMicrotask(() => emit("connection", socket));
    return false;
  };
  socket.read(0);
}

let listener;
if ("bun" in process.versions) { // where sockets of HTTP come only from a front
  listener = createFront({ allowHalfOpen: true, noDelay: true }, (socket) => {
    joinWrites(socket);
    cutHeader(socket);
  });
} else {
  listener = server;
  server.emit = (event: string, ...args: unknown[]) => {
    const [socket] = args;
    if (event !== "connection" || !(socket instanceof Socket)) {
      return emit(event, ...args);
    }
    cutHeader(socket);
    return true;
  };
}
listenHere(listener);
