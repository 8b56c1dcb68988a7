/**
 * Faults of the runtimes that applications meet without the library as well.
 * Each says whether it is there; a runtime that gets better fails the test.
 */

import { fork } from "node:child_process";
import { once } from "node:events";
import { createServer as createHttpServer } from "node:http";
import {
  connect as connectTcp,
  createServer as createTcpServer,
} from "node:net";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { setTimeout as delay } from "node:timers/promises";
import { Duplex } from "node:stream";
import { connect, createServer, rootCertificates } from "node:tls";
import { KEY_PAIR, listen } from "./_kit.js";

/** Sockets and messages that are sent to another process, by turns. */
const SENDINGS = 20;

if (process.argv[2] === "answer") {
  process.on("message", (message, socket) => {
    socket?.destroy();
    process.send(message);
  });
  process.send("listens");
}

/** How many of the sendings are answered. */
async function countAnswers() {
  const child = fork(fileURLToPath(import.meta.url), ["answer"]);
  await once(child, "message");
  let count = 0;
  const { promise, resolve } = Promise.withResolvers();
  child.on("message", () => {
    if (++count === SENDINGS) resolve();
  });
  const server = createTcpServer({ pauseOnConnect: true });
  const port = await listen(server);
  for (let i = 0; i < SENDINGS; i++) {
    if (i % 2 === 1) child.send({ i });
    else {
      const isConnected = once(server, "connection");
      connectTcp(port, "127.0.0.1").on("error", () => {});
      child.send({ i }, ...await isConnected);
    }
  }
  await Promise.race([promise, delay(1000)]);
  child.kill();
  server.close();
  return count;
}

/** @type {Record<string, { of: string[], isThere: () => Promise<boolean> }>} */
export const faults = {
  "messages to a child are lost among sockets that are sent to it": {
    of: ["Deno"],
    isThere: async () => await countAnswers() < SENDINGS,
  },
  "a server of HTTP gives the data of its sockets to no listener": {
    of: ["Bun", "Deno"],
    async isThere() {
      const { promise, resolve } = Promise.withResolvers();
      const server = createHttpServer(() => resolve(true));
      server.on("connection", (socket) => {
        socket.removeAllListeners("data");
        socket.on("data", () => resolve(false));
      });
      const port = await listen(server);
      const client = connectTcp(port, "127.0.0.1");
      client.write("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
      const isThere = await promise;
      client.destroy();
      server.close();
      return isThere;
    },
  },
  "read(null) gives the first of the chunks that wait, not all": {
    of: ["Bun", "Deno"],
    async isThere() {
      const stream = new Duplex({ read() {}, write() {} });
      let length = 0;
      stream.on("readable", () => length += stream.read(null)?.length ?? 0);
      for (let i = 0; i < 5; i++) stream.push("12");
      await delay(50);
      return length === 2;
    },
  },
  "a server of TLS with authorities asks for a certificate, though it is not told to":
    {
      of: ["Deno"],
      async isThere() {
        // Of those of all roots, the request is longer than TLS allows.
        const ca = rootCertificates.join("\n");
        const server = createServer({ ...KEY_PAIR, ca, requestCert: false });
        server.on("tlsClientError", () => {});
        const port = await listen(server);
        const client = connect({
          port,
          host: "127.0.0.1",
          ca: KEY_PAIR.cert,
          servername: "localhost",
        });
        const { promise, resolve } = Promise.withResolvers();
        client.once("secureConnect", () => resolve(false));
        client.once("error", () => resolve(true));
        const isThere = await promise;
        client.destroy();
        server.close();
        return isThere;
      },
    },
};
