/** `socket.io`, by each of its transports. */

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { Server } from "socket.io";
import { io } from "socket.io-client";
import { listen } from "./_kit.js";

async function serve({ wrap, see }) {
  const http = createServer();
  new Server(http).on("connection", (socket) => {
    see(socket.handshake.address);
    socket.on("question", (text, answer) => {
      see(
        socket.conn.transport.name === "websocket"
          ? socket.request.socket.remoteAddress
          : socket.conn.remoteAddress,
      );
      answer(text.toUpperCase());
    });
  });
  return await listen(wrap(http));
}

async function ask(port, transports) {
  const client = io(`http://127.0.0.1:${port}`, { transports });
  try {
    const isUpgraded = transports.length > 1
      ? once(client.io.engine, "upgrade")
      : undefined;
    await new Promise((resolve, reject) => {
      client.once("connect", resolve).once("connect_error", reject);
    });
    await isUpgraded;
    assert.equal(await client.emitWithAck("question", "who"), "WHO");
  } finally {
    client.disconnect();
  }
}

/** @type {Record<string, import("./_kit.js").Case>} */
export const cases = {
  "socket.io by polling": { serve, ask: (port) => ask(port, ["polling"]) },
  "socket.io by WebSocket": { serve, ask: (port) => ask(port, ["websocket"]) },
  "socket.io with an upgrade": {
    serve,
    ask: (port) => ask(port, ["polling", "websocket"]),
  },
};
