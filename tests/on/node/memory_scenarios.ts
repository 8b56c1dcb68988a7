/** Whoever gets an info may do anything to its memory: the connections that come after do not mind. */

import { Buffer } from "node:buffer";
import { createServer, type Server, type Socket } from "node:net";
import { test } from "node:test";
import { accept, proxied, proxyHop, proxyInfo } from "../../../conn/node.ts";
import { assertOwnMemory, Outcomes, TIMEOUT } from "../_memory.ts";
import { listening, TRUST } from "./_kit.ts";

/** Reads all of an accepted socket. */
function serve(socket: Socket, outcomes: Outcomes): void {
  const chunks: Buffer[] = [];
  socket.on("error", () => {});
  socket.on("data", (chunk: Buffer) => chunks.push(chunk));
  socket.on("end", () => {
    const payload = Buffer.concat(chunks);
    outcomes.end(proxyHop(socket), proxyInfo(socket), payload);
    socket.end();
  });
}

/** Servers whose connections are accepted, or rejected, in each way there is. */
const SERVERS: ((outcomes: Outcomes) => Server)[] = [
  (outcomes) =>
    proxied(
      createServer(
        { allowHalfOpen: true },
        (socket) => serve(socket, outcomes),
      ),
      { trust: TRUST, timeout: TIMEOUT, onReject: outcomes.reject },
    ),
  (outcomes) =>
    createServer({ allowHalfOpen: true }, (socket) => {
      accept(socket, { trust: TRUST, timeout: TIMEOUT }).then(
        ({ conn }) => serve(conn, outcomes),
        outcomes.reject,
      );
    }),
];

test("proxied() and accept() do not mind what becomes of an info or an error", async () => {
  await Promise.all(SERVERS.map(async (create) => {
    const outcomes = new Outcomes();
    await listening(
      create(outcomes),
      (port) => assertOwnMemory(outcomes, port),
    );
  }));
});
