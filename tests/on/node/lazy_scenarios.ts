/** Servers that speak first: their sockets are handed over before the header has come. */

import assert from "node:assert/strict";
import { createServer as createHttpServer } from "node:http";
import { createServer as createHttp2Server } from "node:http2";
import { createServer, type Server, type Socket } from "node:net";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { createServer as createTlsServer } from "node:tls";
import {
  accept,
  type NodeListenerOptions,
  proxied,
  proxyHop,
  proxyInfo,
  ProxyProtocolError,
  ready,
} from "../../../conn/node.ts";
import {
  CLIENT,
  dial,
  endsOf,
  HEADER,
  KEY_PAIR,
  listening,
  pattern,
  TRUST,
} from "./_kit.ts";

/** Greets at once, says whom it has greeted when that is known, then echoes. */
function greet(socket: Socket): void {
  socket.on("error", () => {});
  assert.equal(proxyInfo(socket), undefined);
  socket.write(`220 hello ${socket.remoteAddress}\r\n`);
  ready(socket).then((info) => {
    assert.equal(info, proxyInfo(socket));
    socket.write(`version ${info?.version} of ${socket.remoteAddress}\r\n`);
    socket.pipe(socket);
  }, (error: unknown) => {
    assert(error instanceof ProxyProtocolError);
  });
}

/** How a socket comes to its application. */
const WAYS: Record<
  string,
  (options: NodeListenerOptions, work: (socket: Socket) => void) => Server
> = {
  "proxied()": (options, work) => proxied(createServer(work), options),
  "accept()": ({ onReject: _, ...options }, work) =>
    createServer((socket) => {
      accept(socket, options).then(({ info, conn }) => {
        assert.equal(info, undefined);
        work(conn);
      }, () => {});
    }),
};

const LAZY = { trust: TRUST, lazy: true };

for (const [way, serve] of Object.entries(WAYS)) {
  test(`lazy ${way}: it greets before the header, and reads after it`, async () => {
    const payload = pattern(300_000);
    for (const cut of [0, 1, HEADER.length - 1, HEADER.length]) {
      await listening(serve(LAZY, greet), async (port) => {
        const client = await dial(port);
        await client.until("220 hello 127.0.0.1\r\n");
        await client.write(HEADER.subarray(0, cut));
        await client.write(Buffer.concat([HEADER.subarray(cut), payload]));
        const line = `version 1 of ${CLIENT.remoteAddress}\r\n`;
        const head = await client.until(line);
        const start = head.indexOf(line) + line.length;
        const all = await client.take(start + payload.length);
        assert.equal(all.subarray(start).compare(payload), 0);
        client.socket.destroy();
      });
    }
  });

  test(`lazy ${way}: nothing is read, nor claimed, before verify has agreed`, async () => {
    const answer = Promise.withResolvers<boolean>();
    const seen: string[] = [];
    let socket: Socket | undefined;
    const server = serve({
      ...LAZY,
      verify: (info, asked) => {
        seen.push(`${info.source && "port" in info.source}`);
        assert.deepEqual(endsOf(asked), CLIENT);
        assert.equal(proxyInfo(asked), info);
        assert.deepEqual(proxyHop(asked), socket && proxyHop(socket));
        return answer.promise;
      },
    }, (one) => {
      socket = one;
      one.on("error", () => {});
      one.on("data", (data) => void one.write(`echo ${data}`));
      one.write("220\r\n");
    });
    await listening(server, async (port) => {
      const client = await dial(port);
      await client.until("220\r\n");
      await client.write(Buffer.concat([HEADER, Buffer.from("hello")]));
      while (seen.length === 0) await setImmediate();
      assert(socket !== undefined);
      assert.equal(socket.remoteAddress, "127.0.0.1");
      assert.equal(proxyInfo(socket), undefined);
      answer.resolve(true);
      await client.until("echo hello");
      assert.deepEqual(endsOf(socket), CLIENT);
      assert.equal(proxyInfo(socket)?.version, 1);
      client.socket.destroy();
    });
  });

  test(`lazy ${way}: what is rejected is closed, and ready() says why`, async () => {
    const cases: [bytes: Uint8Array, code: string, options: object][] = [
      [Buffer.from("GET / HTTP/1.1\r\n"), "signature", {}],
      [HEADER.subarray(0, 5), "timeout", { timeout: 200 }],
      [HEADER, "verify", { verify: () => false }],
    ];
    for (const [bytes, code, options] of cases) {
      const reason = Promise.withResolvers<unknown>();
      const server = serve({ ...LAZY, ...options }, (socket) => {
        socket.on("error", () => {});
        socket.on("data", () => assert.fail("data of a rejected connection"));
        ready(socket).catch((error: unknown) => reason.resolve(error));
        socket.write("220\r\n");
      });
      await listening(server, async (port) => {
        const client = await dial(port);
        await client.until("220\r\n");
        await client.write(bytes);
        const error = await reason.promise;
        assert(error instanceof ProxyProtocolError);
        assert.equal(error.code, code);
        await client.rest();
        client.socket.destroy();
      });
    }
  });
}

test("lazy proxied(): counts a connection when its header has come", async () => {
  const server = proxied(createServer(greet), LAZY);
  await listening(server, async (port) => {
    const client = await dial(port);
    await client.until("220");
    assert.deepEqual([server.stats.pending, server.stats.accepted], [1, 0]);
    await client.write(HEADER);
    await client.until("version 1");
    assert.deepEqual([server.stats.pending, server.stats.accepted], [0, 1]);
    client.socket.destroy();
  });
});

test("lazy proxied(): a direct peer is ready at once", async () => {
  const options = { trust: [], untrusted: "direct", lazy: true } as const;
  const server = proxied(createServer(greet), options);
  await listening(server, async (port) => {
    const client = await dial(port, "hello");
    await client.until("version undefined of 127.0.0.1\r\nhello");
    client.socket.destroy();
  });
});

test("lazy proxied() refuses servers that read the handle of a socket", () => {
  const servers = [
    createHttpServer(),
    createTlsServer(KEY_PAIR),
    createHttp2Server(),
  ];
  for (const server of servers) {
    assert.throws(() => proxied(server, LAZY), {
      name: "TypeError",
      message: /^Cannot read lazy: only for servers of node:net/,
    });
  }
});
