/** Echoes one message behind the header of each connection, on Bun. */

import { proxied } from "../../conn/bun.ts";
import { listen, type Socket } from "../on/bun/_bun.ts";
import {
  HEADER_LENGTH,
  isOurs,
  MESSAGE_LENGTH,
  OPTIONS,
  serveAt,
  stays,
} from "./_server.ts";

const ours = proxied<Socket>({
  data(socket, payload) {
    socket.write(payload);
    if (!stays) socket.end();
  },
}, OPTIONS);

const bare = {
  open() {},
  data(socket: Socket, bytes: Uint8Array) {
    if (bytes.length < HEADER_LENGTH + MESSAGE_LENGTH) return;
    socket.write(bytes, HEADER_LENGTH, MESSAGE_LENGTH);
    if (!stays) socket.end();
  },
};

const { port } = listen({
  hostname: "127.0.0.1",
  port: 0,
  socket: isOurs ? ours : bare,
});
serveAt(port);
