/** `aedes`, a broker of MQTT, over TCP, TLS and WebSocket. */

import { Aedes } from "aedes";
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer as createHttpServer } from "node:http";
import { createServer } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import mqtt from "mqtt";
import { createWebSocketStream, WebSocketServer } from "ws";
import { CA, KEY_PAIR, listen } from "./_kit.js";

/**
 * The broker reads once for all chunks that wait. Bun and Deno give it the first
 * of them only, which `faults.js` shows.
 */
function readWhole(stream) {
  const read = stream.read.bind(stream);
  stream.read = (size) => {
    if (size !== null) return read(size); // the stream itself
    const chunks = [];
    for (let chunk = read(); chunk !== null; chunk = read()) chunks.push(chunk);
    return chunks.length > 0 ? Buffer.concat(chunks) : null;
  };
  return stream;
}

async function makeBroker(see) {
  const broker = await Aedes.createBroker();
  broker.on("client", ({ conn, req }) => {
    see((req?.socket ?? conn).remoteAddress);
  });
  return broker;
}

async function ask(url) {
  const client = mqtt.connect(url, { ...CA, reconnectPeriod: 0 });
  try {
    await once(client, "connect");
    await client.subscribeAsync("news", { qos: 1 });
    const message = once(client, "message");
    await client.publishAsync("news", "x".repeat(200_000), { qos: 1 });
    const [topic, payload] = await message;
    assert.deepEqual([topic, payload.length], ["news", 200_000]);
  } finally {
    client.end(true);
  }
}

/** @type {Record<string, import("./_kit.js").Case>} */
export const cases = {
  "aedes": {
    async serve({ wrap, see }) {
      const { handle } = await makeBroker(see);
      return await listen(
        wrap(createServer((socket) => handle(readWhole(socket)))),
      );
    },
    ask: (port) => ask(`mqtt://127.0.0.1:${port}`),
  },
  "aedes in TLS": {
    async serve({ wrap, see }) {
      const { handle } = await makeBroker(see);
      return await listen(
        wrap(createTlsServer(KEY_PAIR, (socket) => handle(readWhole(socket)))),
      );
    },
    ask: (port) => ask(`mqtts://127.0.0.1:${port}`),
  },
  "aedes over WebSocket": {
    async serve({ wrap, see }) {
      const broker = await makeBroker(see);
      const server = createHttpServer();
      new WebSocketServer({ server }).on("connection", (socket, request) => {
        broker.handle(readWhole(createWebSocketStream(socket)), request);
      });
      return await listen(wrap(server));
    },
    ask: (port) => ask(`ws://127.0.0.1:${port}`),
  },
};
