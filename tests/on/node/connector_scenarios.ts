/** Connections to a backend that begin with a client's header, for whatever makes its own. */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { request } from "node:http";
import {
  type ClientHttp2Session,
  connect as connectHttp2,
  createSecureServer,
  createServer as createHttp2Server,
  type Http2ServerRequest,
  type Http2ServerResponse,
} from "node:http2";
import { request as requestSecure } from "node:https";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import {
  connectorFor,
  type ConnectorOptions,
  type ConnectTarget,
  perClient,
  proxied,
} from "../../../conn/node.ts";
import { dialAs, told, withBackend, withProxy } from "./_backend.ts";
import {
  closedPort,
  KEY_PAIR,
  listening,
  TRUST,
  until,
  within,
} from "./_kit.ts";

const ANNA = "192.0.2.44";
const BEN = "192.0.2.45";
const CLIENT = {
  source: { transport: "tcp", hostname: ANNA, port: 1 },
  destination: { transport: "tcp", hostname: BEN, port: 2 },
};
const LINE = `PROXY TCP4 ${ANNA} ${BEN} 1 2\r\n`;
const TLS = { tls: { ca: KEY_PAIR.cert, servername: "localhost" } };

/** Serves a backend of HTTP/2 that answers with the client it is told of. */
async function withHttp2(
  isSecure: boolean,
  work: (url: string, server: Server) => Promise<void>,
): Promise<void> {
  const answer = (
    { socket }: Http2ServerRequest,
    response: Http2ServerResponse,
  ) => response.end(`told ${socket.remoteAddress};`);
  const server = isSecure
    ? createSecureServer(KEY_PAIR, answer)
    : createHttp2Server(answer);
  proxied(server, { trust: TRUST });
  await listening(server, (port) => {
    const url = isSecure
      ? `https://localhost:${port}`
      : `http://127.0.0.1:${port}`;
    return work(url, server);
  });
}

/** What a session is answered. */
async function answerOf(session: ClientHttp2Session): Promise<string> {
  const stream = session.request({ ":path": "/" }).setEncoding("utf8");
  let text = "";
  stream.on("data", (chunk) => text += chunk);
  await within(once(stream, "end"), "an answer");
  return text;
}

for (const isSecure of [false, true]) {
  const name = isSecure ? "in TLS" : "in plain text";

  test(`connectorFor() makes connections of http2.connect() ${name}`, async () => {
    await withHttp2(isSecure, async (url) => {
      const session = connectHttp2(url, {
        createConnection: connectorFor(CLIENT, isSecure ? TLS : {}),
      });
      assert.equal(await answerOf(session), `told ${ANNA};`);
      session.destroy();
    });
  });

  test(`connectorFor() makes connections of request() ${name}`, async () => {
    const protocol = isSecure ? "https" : "http";
    await withBackend(protocol, async ({ port }) => {
      const { promise, resolve, reject } = Promise.withResolvers<string>();
      const send = isSecure ? requestSecure : request;
      send({
        ...{ host: "127.0.0.1", port, path: "/not-a-socket" },
        createConnection: connectorFor(CLIENT, isSecure ? TLS : {}),
      }, (answer) => {
        answer.setEncoding("utf8").once("data", resolve);
      }).on("error", reject).end();
      assert.equal(await within(promise, "an answer"), `told ${ANNA};`);
    });
  });

  test(`connectorFor() calls back like undici has it ${name}`, async () => {
    const protocol = isSecure ? "https" : "http";
    await withBackend(protocol, async ({ port }) => {
      const { promise, resolve, reject } = Promise.withResolvers<Socket>();
      const returned = connectorFor(CLIENT, isSecure ? TLS : {})({
        host: `localhost:${port}`, // as undici gives it
        hostname: "127.0.0.1",
        protocol: `${protocol}:`,
        port: `${port}`,
        servername: isSecure ? "localhost" : null,
        localAddress: null,
      }, (error: Error | null, socket: Socket) => {
        if (error) reject(error);
        else resolve(socket);
      });
      const socket = await within(promise, "the connection");
      assert.equal(socket, returned);
      for (const event of ["error", "connect", "secureConnect"]) {
        assert.equal(socket.listenerCount(event), 0, event);
      }
      socket.write("GET / HTTP/1.0\r\n\r\n");
      let text = "";
      for await (const chunk of socket) text += chunk;
      assert.match(text, new RegExp(`told ${ANNA};$`));
    });
  });
}

/** A server of bytes; what the first connection sends is resolved. */
function recorder(
  length: number,
): { server: Server; received: Promise<string> } {
  const { promise, resolve } = Promise.withResolvers<string>();
  const server = createServer((socket) => {
    const chunks: Buffer[] = [];
    socket.on("error", () => {});
    socket.on("data", (chunk) => {
      chunks.push(chunk);
      const all = Buffer.concat(chunks);
      if (all.length < length) return;
      resolve(all.toString("latin1"));
      socket.destroy();
    });
  });
  return { server, received: promise };
}

const V1: ConnectorOptions = { header: { version: 1 } };

for (
  const [name, options] of Object.entries({ TCP: V1, TLS: { ...V1, tls: {} } })
) {
  test(`connectorFor() writes the header first, in plain text, over ${name}`, async () => {
    const { server, received } = recorder(LINE.length + 1);
    await listening(server, async (port) => {
      const socket = connectorFor(CLIENT, options)({ host: "127.0.0.1", port });
      socket.on("error", () => {});
      socket.write("GET / HTTP/1.1\r\n");
      const text = await within(received, "bytes");
      assert.equal(text.slice(0, LINE.length), LINE);
      assert.equal(text[LINE.length], name === "TLS" ? "\x16" : "G");
      socket.destroy();
    });
  });
}

test("connectorFor() connects to a UNIX socket", async () => {
  const folder = mkdtempSync(join(tmpdir(), "proxy-connector-"));
  const { server, received } = recorder(LINE.length);
  try {
    const socketPath = join(folder, "socket");
    server.listen(socketPath);
    await once(server, "listening");
    const socket = connectorFor(CLIENT, V1)({ socketPath });
    assert.equal(await within(received, "bytes"), LINE);
    socket.destroy();
  } finally {
    server.close();
    rmSync(folder, { recursive: true });
  }
});

/** Resolves to the error that a connector calls back with. */
async function failure(
  options: ConnectorOptions,
  target: ConnectTarget,
): Promise<unknown> {
  const { promise, resolve } = Promise.withResolvers<unknown>();
  connectorFor(CLIENT, options)(target, resolve);
  return await within(promise, "a failure");
}

test("connectorFor() calls back with a failure", async () => {
  await using nobody = await closedPort();
  const { port } = nobody;
  for (const options of [{}, { tls: {} }]) {
    const error = await failure(options, { host: "127.0.0.1", port });
    assert(error instanceof Error);
    assert.equal(Reflect.get(error, "code"), "ECONNREFUSED");
  }
});

test("connectorFor() believes no certificate that it does not know", async () => {
  await withBackend("https", async ({ port }) => {
    const target = { host: "localhost", hostname: "127.0.0.1", port };
    const error = await failure({ tls: {} }, target);
    assert(error instanceof Error);
    assert.match(`${Reflect.get(error, "code")}`, /CERT|ALTNAME/);
    const wrongName = { ...TLS.tls, servername: "example.com" };
    const other = await failure({ tls: wrongName }, target);
    assert(other instanceof Error, "wrong name");
  });
});

test("connectorFor() bounds how long it takes until TLS is there", async () => {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.resume(); // and never answers
    sockets.push(socket);
  });
  await listening(server, async (port) => {
    const options = { tls: {}, timeout: 20 };
    const error = await failure(options, { host: "127.0.0.1", port });
    assert(error instanceof Error);
    assert.match(error.message, /no answer within 20 ms/);
    for (const socket of sockets) socket.destroy();
  });
});

test("connectorFor() takes no wrong options", () => {
  const wrong: [ConnectorOptions, RegExp][] = [
    [JSON.parse('{ "timout": 1 }'), /did you mean "timeout"/],
    [{ timeout: 0 }, /timeout/],
    [JSON.parse('{ "header": { "version": 3 } }'), /version/],
  ];
  for (const [options, message] of wrong) {
    assert.throws(() => connectorFor(CLIENT, options), { message });
  }
  assert.throws(() => connectorFor({}), /Cannot name the client/);
});

test("perClient() keeps one session for each client, until the client leaves", async () => {
  await withHttp2(true, async (url) => {
    const made: ClientHttp2Session[] = [];
    const sessionFor = perClient((client) => {
      const session = connectHttp2(url, {
        createConnection: connectorFor(client, TLS),
      });
      made.push(session);
      return session.on("error", () => {});
    });
    await withProxy((req, res) => {
      answerOf(sessionFor(req)).then((text) => res.end(text));
    }, async (proxy) => {
      const [anna, ben] = [await dialAs(proxy, ANNA), await dialAs(proxy, BEN)];
      for (let i = 1; i <= 3; i++) {
        assert.equal(await told(anna), ANNA);
        assert.equal(await told(ben), BEN);
      }
      assert.equal(made.length, 2);
      made[0]?.close();
      await until("the first to close", () => made[0]?.closed === true);
      assert.equal(await told(anna), ANNA);
      assert.equal(made.length, 3);
      for (const { socket } of [anna, ben]) socket.destroy();
      await until("all to close", () => made.every(({ closed }) => closed));
    });
  });
});

test("perClient() takes nothing without a socket, and minds no failure to close", async () => {
  let closes = 0;
  const thingFor = perClient(() => ({
    close() {
      closes++;
      throw new Error("closed already");
    },
  }));
  assert.throws(() => thingFor(CLIENT), /Cannot find the client/);
  await withProxy((req, res) => {
    assert.equal(thingFor(req), thingFor(req.socket));
    res.end("told 1;");
  }, async (proxy) => {
    const anna = await dialAs(proxy, ANNA);
    await told(anna);
    await told(anna);
    anna.socket.destroy();
    await until("it to be closed", () => closes > 0);
  });
  assert.equal(closes, 1);
});
