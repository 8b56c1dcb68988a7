/**
 * Apps of Express, Koa, Fastify and srvx, as anybody would write them, behind a
 * balancer that ends TLS. `encrypted_apps_test.ts` copies this to where their
 * packages are, and runs it on each runtime with the address of the adapter.
 * Prints what each app says of its request, and how it sets a cookie.
 */

import express from "express";
import fastify from "fastify";
import Koa from "koa";
import { once } from "node:events";
import { createServer } from "node:http";
import http2 from "node:http2";
import { connect } from "node:net";
import process from "node:process";
import { toNodeHandler } from "srvx/node";

const { proxied } = await import(process.argv[2]);

const SIGNATURE = [0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49];
const BLOCK4 = [192, 0, 2, 7, 198, 51, 100, 9, 0xc8, 0x22, 0x20, 0xfb];

/** By hand, as section 2.2 has it: command, and the client bits of SSL. */
function header(command, client) {
  const ssl = client === undefined ? [] : [0x20, 0, 5, client, 0, 0, 0, 0];
  const length = BLOCK4.length + ssl.length;
  const head = [...SIGNATURE, 0x54, 0x0a, command, 0x11, 0, length];
  return Uint8Array.from([...head, ...BLOCK4, ...ssl]);
}

const HEADERS = {
  "client bit": header(0x21, 0x01),
  "certificate bits alone": header(0x21, 0x06),
  "no SSL": header(0x21),
  "LOCAL with the client bit": header(0x20, 0x01),
};

const COOKIE = "sid=1; Secure";

const app = express();
app.get("/", (req, res) => {
  if (req.secure) res.cookie("sid", "1", { secure: true });
  res.send(req.protocol);
});

const koa = new Koa();
koa.use((ctx) => {
  // It throws for a secure cookie of a connection that is not.
  if (ctx.secure) ctx.cookies.set("sid", "1", { secure: true });
  ctx.body = ctx.protocol;
});

function fastifyApp(options) {
  const app = fastify({ ...options, forceCloseConnections: true });
  app.get("/", (request, reply) => {
    if (request.protocol === "https") reply.header("set-cookie", COOKIE);
    reply.send(request.protocol);
  });
  return app;
}

const srvx = toNodeHandler((request) => {
  const { protocol } = new URL(request.url);
  const headers = protocol === "https:" ? { "set-cookie": COOKIE } : {};
  return new Response(protocol, { headers });
});

/** Makes the server of each app, anew. */
const APPS = {
  express: () => createServer(app),
  koa: () => createServer(koa.callback()),
  fastify: async () => {
    const app = fastifyApp({});
    await app.ready();
    return app.server;
  },
  srvx: () => createServer(srvx),
};

async function ask(port, bytes) {
  const client = connect(port, "127.0.0.1");
  client.write(bytes);
  client.write("GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  let text = "";
  client.on("data", (chunk) => text += chunk);
  await once(client, "close");
  const isSecure = /^set-cookie: .*\bsecure\b/im.test(text);
  const [protocol] = /\bhttps?\b/.exec(text.split("\r\n\r\n")[1]) ?? [];
  return `${protocol}, ${isSecure ? "secure" : "no"} cookie`;
}

/** Of HTTP/2, which says it of the session and of each request. */
async function askHttp2(port, bytes) {
  const session = http2.connect(`http://127.0.0.1:${port}`, {
    createConnection() {
      const socket = connect(port, "127.0.0.1");
      socket.write(bytes);
      return socket;
    },
  });
  const stream = session.request({ ":path": "/" });
  let text = "";
  stream.setEncoding("utf8").on("data", (chunk) => text += chunk);
  await once(stream, "end");
  session.close();
  return text;
}

async function listening(server, work) {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  await work(server.address().port);
  const closing = once(server, "close");
  server.close();
  await closing;
}

for (const [name, create] of Object.entries(APPS)) {
  for (const options of [{ encrypted: true }, {}]) {
    const server = proxied(await create(), { trust: ["127.0.0.1"], ...options });
    await listening(server, async (port) => {
      for (const [kind, bytes] of Object.entries(HEADERS)) {
        const told = await ask(port, bytes);
        console.log(`${name}, ${!!options.encrypted}, ${kind}: ${told}`);
      }
    });
  }
}

for (const options of [{ encrypted: true }, {}]) {
  const server = http2.createServer((request, response) => {
    const { encrypted } = request.stream.session;
    response.end(`${request.socket.encrypted === true} ${encrypted}`);
  });
  proxied(server, { trust: ["127.0.0.1"], ...options });
  await listening(server, async (port) => {
    for (const kind of ["client bit", "no SSL"]) {
      const told = await askHttp2(port, HEADERS[kind]);
      console.log(`http2, ${!!options.encrypted}, ${kind}: ${told}`);
    }
  });
}
process.exit();
