/** `proxied()` around servers of HTTP of all kinds; run by `node_test.ts`. */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { once } from "node:events";
import {
  createServer as createHttp,
  type IncomingMessage,
  type RequestListener,
  type ServerResponse,
} from "node:http";
import {
  connect as connectHttp2,
  createSecureServer,
  createServer as createHttp2,
  type Http2ServerRequest,
  type Http2ServerResponse,
} from "node:http2";
import { createServer as createHttps } from "node:https";
import { mkdtempSync } from "node:fs";
import { connect, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { proxied, proxyHop, proxyInfo } from "../../../conn/node.ts";
import {
  CLIENT,
  Client,
  closed,
  dial as connectOnly,
  dialTls,
  endsOf,
  HEADER,
  KEY_PAIR,
  listening,
  pattern,
  portOf,
  TRUST,
  until,
  within,
} from "./_kit.ts";

const GET = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
const MEBIBYTE = 1 << 20;

type Request = IncomingMessage | Http2ServerRequest;
type Response = ServerResponse | Http2ServerResponse;

/** What a request knows of where it comes from. */
function originOf(request: Request): string {
  const info = proxyInfo(request);
  assert(info);
  assert.equal(proxyInfo(request.socket), info);
  const hop = proxyHop(request);
  assert(hop && "port" in hop);
  return JSON.stringify({ ...endsOf(request.socket), hop: hop.hostname });
}

const ORIGIN = JSON.stringify({ ...CLIENT, hop: "127.0.0.1" });

/** Tells a client where it comes from. */
function tell(request: Request, response: Response): void {
  response.end(originOf(request));
}

/** What servers of HTTP have in common. */
interface HttpServer extends Server {
  setTimeout(ms: number): unknown;
}

/** A server of HTTP/1, and how a client gets to it. */
interface Kind {
  create: (listener: RequestListener) => HttpServer;
  dial: (port: number, isBytewise?: boolean) => Promise<Client>;
}

async function dialPlain(port: number, isBytewise = false): Promise<Client> {
  const bytes = Array.from(HEADER, (byte) => Buffer.of(byte));
  return await connectOnly(port, ...isBytewise ? bytes : [HEADER]);
}

async function dialSecure(port: number, isBytewise = false): Promise<Client> {
  return new Client(await dialTls(port, { isBytewise }));
}

const KINDS: Record<string, Kind> = {
  http: { create: createHttp, dial: dialPlain },
  https: {
    create: (listener) => createHttps(KEY_PAIR, listener),
    dial: dialSecure,
  },
  "http2 with allowHTTP1": {
    create: (listener) => {
      const server = createSecureServer({ ...KEY_PAIR, allowHTTP1: true });
      return server.on("request", listener);
    },
    dial: dialSecure,
  },
};

const HTTP2 = {
  "http2 in clear": {
    create: () => createHttp2(),
    open: (port: number) => {
      const socket = connect(port, "127.0.0.1");
      socket.write(HEADER);
      return connectHttp2("http://localhost", {
        createConnection: () => socket,
      });
    },
  },
  "http2 over TLS": {
    create: () => createSecureServer(KEY_PAIR),
    open: async (port: number) => {
      const socket = await dialTls(port, { protocols: ["h2"] });
      return connectHttp2("https://localhost", {
        createConnection: () => socket,
      });
    },
  },
};

for (const [name, { create, dial }] of Object.entries(KINDS)) {
  test(`${name}: requests show the client, several on one connection`, async () => {
    const sockets = new Set<Socket>();
    const server = create((request, response) => {
      sockets.add(request.socket);
      tell(request, response);
    });
    const { stats } = proxied(server, { trust: TRUST });
    await listening(server, async (port) => {
      for (const isBytewise of [false, true]) {
        const client = await dial(port, isBytewise);
        for (let i = 1; i <= 3; i++) {
          await client.write(GET);
          await client.until(ORIGIN, i);
        }
        client.socket.destroy();
      }
    });
    assert.equal(sockets.size, 2);
    assert.equal(stats.accepted, 2);
  });

  test(`${name}: a body of 2 MiB arrives to the last byte and goes back`, async () => {
    const body = pattern(2 * MEBIBYTE);
    const server = create((request, response) => request.pipe(response));
    proxied(server, { trust: TRUST });
    await listening(server, async (port) => {
      const client = await dial(port);
      await client.write(
        "POST / HTTP/1.0\r\nHost: localhost\r\n" +
          `Content-Length: ${body.length}\r\n\r\n`,
      );
      client.socket.write(body);
      const head = (await client.until("\r\n\r\n")).indexOf("\r\n\r\n") + 4;
      const received = await client.take(head + body.length);
      assert.equal(received.subarray(head).compare(body), 0);
      client.socket.destroy();
    });
  });

  test(`${name}: an upgraded connection shows the client`, async () => {
    const server = create((_, response) => response.end());
    server.on("upgrade", (request: IncomingMessage, socket: Socket) => {
      socket.write(
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n" +
          `Upgrade: echo\r\n\r\n${originOf(request)}`,
      );
      assert.deepEqual(endsOf(socket), CLIENT);
      socket.on("error", () => {});
      socket.pipe(socket);
    });
    proxied(server, { trust: TRUST });
    await listening(server, async (port) => {
      const client = await dial(port);
      await client.write(
        "GET / HTTP/1.1\r\nHost: localhost\r\n" +
          "Connection: Upgrade\r\nUpgrade: echo\r\n\r\n",
      );
      await client.until(ORIGIN);
      await client.write("after the upgrade");
      await client.until("after the upgrade");
      client.socket.destroy();
    });
  });

  test(`${name}: headersTimeout, requestTimeout and keepAliveTimeout are armed`, async () => {
    const server = create((request, response) => {
      if (request.method === "GET") tell(request, response);
      else request.resume();
    });
    Object.assign(server, {
      headersTimeout: 600,
      requestTimeout: 900,
      keepAliveTimeout: 300,
      keepAliveTimeoutBuffer: 0,
      connectionsCheckingInterval: 50,
    });
    proxied(server, { trust: TRUST });
    await listening(server, async (port) => {
      const slow = await dial(port);
      await slow.write("GET / HTTP/1.1\r\nX: ");
      const post = await dial(port);
      const start = performance.now();
      await post.write(
        "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n1234",
      );
      const idle = await dial(port);
      await idle.write(GET);
      assert((await idle.rest()).includes(ORIGIN));
      assert((await slow.rest()).startsWith("HTTP/1.1 408 "));
      assert((await post.rest()).startsWith("HTTP/1.1 408 "));
      // Not when the time for its head would have been over.
      assert(performance.now() - start > 750);
      for (const { socket } of [slow, post, idle]) socket.destroy();
    });
  });

  test(`${name}: requestTimeout ends no request that has come, however late its response`, async () => {
    const timeouts = { requestTimeout: 100, headersTimeout: 50 };
    const server = create((request, response) => {
      request.resume();
      setTimeout(() => tell(request, response), 400);
    });
    Object.assign(server, { ...timeouts, connectionsCheckingInterval: 20 });
    proxied(server, { trust: TRUST });
    await listening(server, async (port) => {
      const client = await dial(port);
      for (const count of [1, 2]) {
        await client.write(GET);
        await client.until(ORIGIN, count);
      }
      client.socket.destroy();
    });
  });

  test(`${name}: setTimeout() closes a connection that is silent, and no other`, async () => {
    const server = create((request, response) => {
      if (request.url === "/late") return;
      if (request.url !== "/slow") return tell(request, response);
      let written = 0;
      const timer = setInterval(() => {
        response.write(".");
        if (++written < 8) return;
        clearInterval(timer);
        response.end(originOf(request));
      }, 100);
    });
    server.setTimeout(500);
    Object.assign(server, { keepAliveTimeout: 60_000 });
    server.on("upgrade", (_request, socket: Socket) => {
      socket.on("error", () => {});
      socket.pipe(socket);
    });
    proxied(server, { trust: TRUST });
    await listening(server, async (port) => {
      const silent = await dial(port);
      const late = await dial(port);
      await late.write(GET.replace("/", "/late"));
      const idle = await dial(port);
      await idle.write(GET);
      const upgraded = await dial(port);
      await upgraded.write(
        "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n",
      );
      const slow = await dial(port);
      await slow.write(GET.replace("/", "/slow"));
      assert.equal(await silent.rest(), "");
      assert.equal(await late.rest(), "");
      await slow.until(ORIGIN);
      await idle.write(GET); // keepAliveTimeout bounds this one
      await idle.until(ORIGIN, 2);
      await idle.write(GET.replace("/", "/late"));
      await upgraded.write("still there");
      await upgraded.until("still there");
      await idle.rest();
      for (const { socket } of [silent, late, idle, slow, upgraded]) {
        socket.destroy();
      }
    });
  });

  test(`${name}: setTimeout() leaves the connection to who listens for 'timeout'`, async () => {
    const server = create((request, response) => {
      const { url } = request;
      if (url === "/request") request.once("timeout", () => response.end(url));
      if (url === "/response") {
        response.setTimeout(100, () => response.end(url));
      }
      if (url === "/socket") request.socket.setTimeout(100);
    });
    const seen = new Set<unknown>();
    server.setTimeout(200);
    server.on("timeout", (socket: Socket) => {
      seen.add(socket.remoteAddress);
      socket.end("the server\n");
    });
    proxied(server, { trust: TRUST });
    const post =
      "POST /request HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n";
    await listening(server, async (port) => {
      const clients = await Promise.all(
        [post, "/response", "/socket"].map(async (text) => {
          const client = await dial(port);
          await client.write(
            text.startsWith("/") ? GET.replace("/", text) : post,
          );
          return client;
        }),
      );
      const [request = "", response = "", socket = ""] = await Promise.all(
        clients.map((client) => client.rest()),
      );
      assert.match(request, /\/request/);
      assert.match(response, /\/response/);
      assert.equal(socket, "the server\n");
      assert.deepEqual([...seen], [CLIENT.remoteAddress]);
      for (const { socket } of clients) socket.destroy();
    });
  });

  test(`${name}: close() ends what is idle or pending and lets the rest finish`, async () => {
    const { promise: asked, resolve: ask } = Promise.withResolvers<
      ServerResponse
    >();
    const server = create((request, response) => {
      if (request.url === "/slow") ask(response);
      else tell(request, response);
    });
    const { stats } = proxied(server, { trust: TRUST, timeout: 60_000 });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    assert.equal(server.listening, true);
    const port = portOf(server);
    const idle = await dial(port);
    await idle.write(GET);
    await idle.until(ORIGIN);
    const busy = await dial(port);
    await busy.write(GET.replace("/", "/slow"));
    const response = await within(asked, "the request");
    const silent = await connectOnly(port);
    while (stats.pending === 0) await setImmediate();
    const isClosed = closed(server);
    assert.equal(server.listening, false);
    assert.equal(await silent.rest(), "");
    response.end("at last");
    await busy.until("at last");
    busy.socket.destroy();
    if (name === "http2 with allowHTTP1") idle.socket.destroy();
    await idle.rest();
    await isClosed;
    assert.equal(server.address(), null);
  });
}

test("https: listeners see the client, whatever the event", async () => {
  const server = createHttps(KEY_PAIR, tell);
  const seen: unknown[] = [];
  for (const event of ["connection", "secureConnection"]) {
    server.on(event, (socket: Socket) => {
      seen.push([event, socket.remoteAddress]);
    });
  }
  proxied(server, { trust: TRUST });
  await listening(server, async (port) => {
    const client = await dialSecure(port);
    await client.write(GET);
    await client.until(ORIGIN);
    client.socket.destroy();
  });
  assert.deepEqual(
    new Set(seen.map((entry) => JSON.stringify(entry))),
    new Set([
      `["connection","${CLIENT.remoteAddress}"]`,
      `["secureConnection","${CLIENT.remoteAddress}"]`,
    ]),
  );
});

/** A socket of UNIX for servers. */
const PATH = join(mkdtempSync(join(tmpdir(), "listens-")), "socket");

for (
  const [name, create, dial] of [
    ["http", () => createHttp(tell), dialPlain],
    ["https", () => createHttps(KEY_PAIR, tell), dialSecure],
  ] as const
) {
  for (const when of ["at once", "later"]) {
    test(`${name}: a server that listens already is wrapped ${when}`, async () => {
      const server = create();
      let isClosed = false;
      server.on("close", () => isClosed = true);
      const isListening = once(server, "listening");
      server.listen(0, "127.0.0.1");
      if (when === "later") await within(isListening, "listening");
      const place = server.address(); // not known at once on every runtime
      const { stats } = proxied(server, { trust: TRUST });
      await within(isListening, "listening");
      assert.equal(server.listening, true);
      assert.deepEqual(server.address(), place ?? server.address());
      const client = await dial(portOf(server));
      await client.write(GET);
      await client.until(ORIGIN);
      assert.equal(stats.accepted, 1);
      assert.equal(isClosed, false);
      client.socket.destroy();
      await closed(server);
      await until("it to be told", () => isClosed);
    });
  }
}

test("http: a server that listens on a path already is wrapped", async () => {
  const server = createHttp((request, response) => {
    response.end(`${request.socket.remoteAddress}`);
  });
  server.listen(PATH);
  await once(server, "listening");
  proxied(server, { trust: ["unix"] });
  await until("it to listen", () => server.listening);
  const client = new Client(connect(PATH));
  await client.write(Buffer.concat([HEADER, Buffer.from(GET)]));
  await client.until(CLIENT.remoteAddress);
  client.socket.destroy();
  await closed(server);
});

test("http: a server listens, counts and fails as without a proxy", async () => {
  const options = { trust: TRUST, timeout: 60_000 };
  const server = proxied(createHttp(tell), options);
  assert.equal(server.address(), null);
  const { promise, resolve } = Promise.withResolvers<void>();
  assert.equal(server.listen({ port: 0, host: "127.0.0.1" }, resolve), server);
  await within(promise, "the callback of listen");
  server.unref().ref();
  const second = proxied(createHttp(tell), { trust: TRUST });
  const failure = once(second, "error");
  second.listen(portOf(server), "127.0.0.1");
  const [error] = await within(failure, "the failure to listen");
  assert.equal(error.code, "EADDRINUSE");
  const client = await dialPlain(portOf(server));
  await client.write(GET);
  await client.until(ORIGIN);
  const counted = Promise.withResolvers<number>();
  server.getConnections((_, count) => counted.resolve(count));
  assert.equal(await within(counted.promise, "the count"), 1);
  const silent = await connectOnly(portOf(server));
  while (server.stats.pending === 0) await setImmediate();
  server.closeAllConnections();
  await client.rest();
  await silent.rest();
  await closed(server);
});

for (const [name, { create, open }] of Object.entries(HTTP2)) {
  test(`${name}: requests, streams and sessions show the client, to the end`, async () => {
    const server = create();
    const seen: (string | undefined)[] = [];
    const address = (target: object | undefined) => {
      const source = target && proxyInfo(target)?.source;
      return source && "hostname" in source ? source.hostname : undefined;
    };
    const sessions: object[] = [];
    server.on("session", (session) => {
      sessions.push(session);
      seen.push(session.socket.remoteAddress, address(session.socket));
    });
    server.on("stream", (stream) => {
      seen.push(address(stream), address(stream.session));
    });
    const requests: Http2ServerRequest[] = [];
    server.on("request", (request, response) => {
      requests.push(request);
      tell(request, response);
    });
    proxied(server, { trust: TRUST });
    await listening(server, async (port) => {
      const session = await open(port);
      for (let i = 0; i < 2; i++) {
        const request = session.request({ ":path": "/" });
        const chunks: Buffer[] = [];
        request.on("data", (chunk: Buffer) => chunks.push(chunk));
        await within(once(request, "end"), "the response");
        assert.equal(Buffer.concat(chunks).toString(), ORIGIN);
      }
      session.destroy();
    });
    // As in a log that is written when all is over and the socket is gone.
    for (const request of requests) {
      seen.push(address(request), address(request.stream));
    }
    seen.push(...sessions.map(address));
    assert.deepEqual(seen, Array(11).fill(CLIENT.remoteAddress));
  });

  test(`${name}: a body of 2 MiB arrives to the last byte and goes back`, async () => {
    const body = pattern(2 * MEBIBYTE);
    const server = create();
    server.on("stream", (stream) => {
      stream.respond();
      stream.pipe(stream);
    });
    proxied(server, { trust: TRUST });
    await listening(server, async (port) => {
      const session = await open(port);
      const request = session.request({ ":method": "POST", ":path": "/" });
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.end(body);
      await within(once(request, "end"), "the response");
      assert.equal(Buffer.concat(chunks).compare(body), 0);
      session.destroy();
    });
  });
}
