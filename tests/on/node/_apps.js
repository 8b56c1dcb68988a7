/**
 * A Hono app and an Express app, as anybody would write them, behind
 * `proxied()`. `apps_test.ts` copies this to where their packages are, and
 * runs it on each runtime with the address of the adapter.
 */

import { createAdaptorServer } from "@hono/node-server";
import { getConnInfo } from "@hono/node-server/conninfo";
import express from "express";
import { Hono } from "hono";
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { connect } from "node:net";
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
