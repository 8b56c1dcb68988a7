/**
 * A Hono app and an Express app, as anybody would write them, behind
 * `proxied()`, and streams that are no sockets of the runtime. `apps_test.ts` copies this to where their packages are, and
 * runs it on each runtime with the address of the adapter.
 */

import { createAdaptorServer } from "@hono/node-server";
import { getConnInfo } from "@hono/node-server/conninfo";
import duplexify from "duplexify";
import express from "express";
import { Hono } from "hono";
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { connect, createServer as createTcpServer } from "node:net";
import process from "node:process";

const { proxied } = await import(process.argv[2]);

const hono = new Hono();
hono.get("/", (c) => c.text(`hono sees ${getConnInfo(c).remote.address}`));
hono.post("/", async (c) => c.text(`hono read ${(await c.req.text()).length}`));

const app = express();
app.use(express.text({ limit: "4mb" }));
app.get("/", (req, res) => void res.send(`express sees ${req.ip}`));
app.post("/", (req, res) => void res.send(`express read ${req.body.length}`));

const SERVERS = {
  hono: createAdaptorServer({ fetch: hono.fetch }),
  express: createServer(app),
};

for (const [name, server] of Object.entries(SERVERS)) {
  proxied(server, { trust: ["127.0.0.1"] }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const client = connect(server.address().port, "127.0.0.1");
  let received = "";
  client.on("data", (chunk) => received += chunk);
  const until = async (text) => {
    while (!received.includes(text)) await once(client, "data");
  };
  const get = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
  client.write("PROXY TCP4 192.0.2.7 198.51.100.9 51234 8443\r\n" + get);
  await until(`${name} sees 192.0.2.7`);
  client.write(
    "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\n" +
      `Content-Length: ${1 << 21}\r\n\r\n${"x".repeat(1 << 21)}`,
  );
  await until(`${name} read ${1 << 21}`);
  assert.equal(server.stats.accepted, 1);
  client.destroy();
  server.close();
  await once(server, "close");
  console.log(`${name} is served`);
}

// A stream of a package is no instance of the runtime's: it comes past nobody.
for (const trust of [[], "any"]) {
  const http = createServer((req, res) => {
    res.end(`seen ${req.socket.remoteAddress}`);
  });
  const rejected = [];
  proxied(http, { trust, onReject: ({ code }) => rejected.push(code) });
  const tcp = createTcpServer((socket) => {
    socket.on("error", () => {});
    const stream = duplexify(socket, socket);
    stream.on("error", () => {});
    http.emit("connection", stream);
  }).listen(0, "127.0.0.1");
  await once(tcp, "listening");
  const client = connect(tcp.address().port, "127.0.0.1");
  client.on("error", () => {});
  let received = "";
  client.on("data", (chunk) => received += chunk);
  const closed = new Promise((resolve) => client.on("close", resolve));
  client.write("PROXY TCP4 192.0.2.7 198.51.100.9 51234 8443\r\n");
  client.write("GET / HTTP/1.0\r\nHost: localhost\r\n\r\n");
  if (trust === "any") {
    while (!received.endsWith("seen 192.0.2.7")) await once(client, "data");
    assert.equal(http.stats.accepted, 1);
    client.destroy();
  } else {
    await closed;
    assert.equal(received, "");
    assert.deepEqual(rejected, ["untrusted"]);
  }
  // Nor does anything else.
  let isDestroyed = false;
  http.emit("connection", { destroy: () => isDestroyed = true });
  assert.equal(isDestroyed, true);
  assert.equal(rejected.at(-1), "io");
  tcp.close();
  await once(tcp, "close");
  console.log(`a stream of a package is checked by ${trust}`);
}
