/** `@socket.io/sticky`: a master that hands sockets on to workers. */

import assert from "node:assert/strict";
import cluster from "node:cluster";
import { once } from "node:events";
import { createServer } from "node:http";
import { createServer as createTcpServer, Socket } from "node:net";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { adopt, exportInfo, proxyHop } from "@edgewire/proxy-protocol/node";
import sticky from "@socket.io/sticky";
import { Server } from "socket.io";
import { io } from "socket.io-client";
import { listen } from "./_kit.js";

if (cluster.isWorker) {
  process.on("message", ({ proxy }, socket) => {
    if (socket && proxy) adopt(socket, proxy);
  });
  const http = createServer();
  const server = new Server(http);
  server.on("connection", (socket) => {
    socket.on("question", (answer) => {
      answer([cluster.worker.id, socket.handshake.address]);
    });
  });
  sticky.setupWorker(server);
  process.send({ type: "listens" }); // messages from before would be lost
} else {
  // Before a worker sees it, each socket passes here.
  cluster.on("fork", (worker) => {
    const { send } = worker;
    worker.send = (message, socket, ...rest) => {
      const isAccepted = socket instanceof Socket && proxyHop(socket);
      const proxy = isAccepted ? exportInfo(socket) : undefined;
      return send.call(worker, { ...message, proxy }, socket, ...rest);
    };
  });
}

let workers;

/** @type {Record<string, import("./_kit.js").Case>} */
export const cases = {
  "@socket.io/sticky": {
    fault: "messages to a child are lost among sockets that are sent to it",
    async serve({ wrap, see }) {
      cluster.setupPrimary({
        exec: fileURLToPath(import.meta.url),
        serialization: "advanced", // the package sends a Buffer
      });
      workers ??= Promise.all(
        [cluster.fork(), cluster.fork()].map((worker) =>
          once(worker, "message")
        ),
      );
      await workers;
      // Any server will do: one of HTTP keeps the data for itself on Bun and
      // Deno, which `faults.js` shows.
      const server = createTcpServer();
      server.on("connection", ({ remoteAddress }) => see(remoteAddress));
      sticky.setupMaster(server, { loadBalancingMethod: "round-robin" });
      return await listen(wrap(server));
    },
    /** By requests, with bodies and without, and by WebSocket. */
    async ask(port, { address }) {
      for (
        const transport of ["polling", "polling", "websocket", "websocket"]
      ) {
        const client = io(`http://127.0.0.1:${port}`, {
          transports: [transport],
          forceNew: true,
          // The master loses what comes in two chunks.
          retries: 20,
          ackTimeout: 2000,
        });
        const [worker, seen] = await client.emitWithAck("question");
        assert.equal(seen, address);
        assert.equal(typeof worker, "number");
        client.disconnect();
      }
    },
  },
};
