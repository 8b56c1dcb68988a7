/** `ws`: a server of HTTP of its own, and one that it is given. */

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import { WebSocket, WebSocketServer } from "ws";
import { CA, KEY_PAIR, listen, pattern } from "./_kit.js";

function serve(server, see) {
  new WebSocketServer({ server }).on("connection", (socket, request) => {
    see(request.socket.remoteAddress);
    socket.on("message", (data) => socket.send(data));
  });
}

async function ask(url, options) {
  const socket = new WebSocket(url, options);
  await once(socket, "open");
  for (const length of [10, 300_000]) {
    const answer = once(socket, "message");
    socket.send(pattern(length));
    const [data] = await answer;
    assert.equal(data.compare(pattern(length)), 0);
  }
  socket.close();
  await once(socket, "close");
}

/** @type {Record<string, import("./_kit.js").Case>} */
export const cases = {
  "ws": {
    async serve({ wrap, see }) {
      const server = createServer();
      serve(server, see);
      return await listen(wrap(server));
    },
    ask: (port) => ask(`ws://127.0.0.1:${port}`),
  },
  "ws in TLS": {
    async serve({ wrap, see }) {
      const server = createHttpsServer(KEY_PAIR);
      serve(server, see);
      return await listen(wrap(server));
    },
    ask: (port) => ask(`wss://127.0.0.1:${port}`, CA),
  },
};
