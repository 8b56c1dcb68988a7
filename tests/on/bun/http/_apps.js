/**
 * Apps of Hono and Elysia, as anybody would write them, behind `serveHttp`.
 * `apps_test.ts` copies this to where their packages are, and runs it on Bun
 * with the address of the adapter.
 */

import { Elysia } from "elysia";
import { websocket } from "elysia/ws";
import { Hono } from "hono";
import { createBunWebSocket, getConnInfo } from "hono/bun";
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer } from "node:net";
import process from "node:process";

const { proxyInfo, serveHttp } = await import(process.argv[2]);
const proxy = { trust: ["127.0.0.1"] };
const place = { hostname: "127.0.0.1", port: 0 };

/** The client of number `id`. */
const headerOf = (id) => `PROXY TCP4 192.0.2.${id} 198.51.100.9 ${id} 443\r\n`;

/** Asks as a client. */
async function ask(port, id, path) {
  const client = connect(port, "127.0.0.1");
  client.write(headerOf(id));
  client.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
  let answer = "";
  for await (const chunk of client) answer += chunk;
  return answer.slice(answer.indexOf("\r\n\r\n") + 4);
}

/** Sends texts by a WebSocket as a client, and says what came back. */
async function talk(port, id, path, ...texts) {
  const front = createServer((socket) => {
    const target = connect(port, "127.0.0.1");
    target.write(headerOf(id));
    socket.pipe(target).pipe(socket);
    for (const end of [socket, target]) end.on("error", () => {});
  }).listen(0, "127.0.0.1");
  await once(front, "listening");
  const ws = new WebSocket(`ws://127.0.0.1:${front.address().port}${path}`);
  await once(ws, "open");
  const answers = [];
  for (const text of texts) {
    ws.send(text);
    const [{ data }] = await once(ws, "message");
    answers.push(data);
  }
  ws.close();
  await once(ws, "close");
  front.close();
  return answers;
}

/** Checks that each of many clients is seen as itself. */
async function check(name, server, paths) {
  await Promise.all(Array.from({ length: 40 }, async (_, i) => {
    const id = i + 1;
    for (const path of paths) {
      const expected = `${name} sees 192.0.2.${id}`;
      assert.equal(await ask(server.port, id, path), expected);
    }
    assert.deepEqual(await talk(server.port, id, "/ws", "one", "two"), [
      `192.0.2.${id}: one`,
      `192.0.2.${id}: two`,
    ]);
  }));
  await server.stop(true);
  console.log(`${name} is served`);
}

{
  const { upgradeWebSocket, websocket } = createBunWebSocket();
  const app = new Hono();
  app.get("/", (c) => c.text(`hono sees ${getConnInfo(c).remote.address}`));
  app.get("/header", (c) => {
    return c.text(`hono sees ${proxyInfo(c.req.raw).source.hostname}`);
  });
  app.get(
    "/ws",
    upgradeWebSocket(() => ({
      onMessage(event, ws) {
        ws.send(`${ws.raw.remoteAddress}: ${event.data}`);
      },
    })),
  );
  const server = serveHttp({ ...place, fetch: app.fetch, websocket, proxy });
  await check("hono", server, ["/", "/header"]);
}

/** An app of Elysia; `fixed` is answered without a handler. */
function elysia() {
  return new Elysia()
    .get("/", ({ server, request }) => {
      return `elysia sees ${server.requestIP(request).address}`;
    })
    .get("/header", ({ request }) => {
      return `elysia sees ${proxyInfo(request).source.hostname}`;
    })
    .get("/fixed", "fixed")
    .ws("/ws", {
      message(ws, text) {
        ws.send(`${ws.remoteAddress}: ${text}`);
      },
    });
}

{
  const app = elysia();
  app.server = serveHttp({ ...place, fetch: app.fetch, websocket, proxy });
  assert.equal(await ask(app.server.port, 1, "/fixed"), "fixed");
  await check("elysia", app.server, ["/", "/header"]);
  app.server = null;
}

// By its own listen(), where a program has put serveHttp in the place of Bun.serve.
{
  const { serve } = Bun;
  Bun.serve = (options) => serveHttp({ ...options, proxy });
  const app = elysia().listen(place);
  Bun.serve = serve;
  await app.modules;
  assert.equal(await ask(app.server.port, 1, "/fixed"), "fixed");
  const inner = Reflect.get(
    Object.getPrototypeOf(app.server),
    "port",
    app.server,
  );
  const { status } = await fetch(`http://127.0.0.1:${inner}/fixed`);
  assert.equal(status, 403);
  await check("elysia", app.server, ["/", "/header"]);
  app.server = null;
}
process.exit();
