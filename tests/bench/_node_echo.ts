/** Echoes one message behind the header of each connection, on Node. */

import { createServer, type Socket } from "node:net";
import { proxied } from "../../conn/node.ts";
import {
  HEADER_LENGTH,
  isOurs,
  MESSAGE_LENGTH,
  OPTIONS,
  serveAt,
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
server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  if (typeof address === "object") serveAt(address?.port);
});
