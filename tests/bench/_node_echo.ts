/** Echoes one message behind the header of each connection, on Node. */

import { createServer, type Socket } from "node:net";
import { proxied } from "../../conn/node.ts";
import {
  HEADER_LENGTH,
  isOurs,
  listenHere,
  MESSAGE_LENGTH,
  OPTIONS,
  stays,
} from "./_server.ts";

function echo(socket: Socket, start: number): void {
  socket.on("error", () => {}); // the peer has left by a reset
  socket.on("data", (bytes: Uint8Array) => {
    socket.write(bytes.subarray(start, start + MESSAGE_LENGTH));
    if (!stays) socket.end();
  });
}

const server = createServer((socket) =>
  echo(socket, isOurs ? 0 : HEADER_LENGTH)
);
if (isOurs) proxied(server, OPTIONS);
listenHere(server);
