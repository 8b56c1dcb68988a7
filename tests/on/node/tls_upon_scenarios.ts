/** TLS that the application starts itself on a socket: it shows the client, like all that is built upon a socket. */

import assert from "node:assert/strict";
import { once } from "node:events";
import { createSecureServer } from "node:http2";
import { createServer as createHttpsServer } from "node:https";
import { createServer, type Server, type Socket } from "node:net";
import { test } from "node:test";
import { createServer as createTlsServer, TLSSocket } from "node:tls";
import { accept, proxied, proxyHop, proxyInfo } from "../../../conn/node.ts";
import {
  CLIENT,
  dial,
  dialTls,
  endsOf,
  HEADER,
  KEY_PAIR,
  listening,
  RUNTIME,
  TRUST,
  within,
} from "./_kit.ts";

/** Takes a socket on which TLS was begun. */
type Seen = (socket: Socket) => void;

/** Ways to begin TLS on a socket that a proxied server of `node:net` has given. */
const WAYS: Record<string, (seen: Seen) => (socket: Socket) => void> = {
  "a TLSSocket": (seen) => (socket) => {
    const tls = new TLSSocket(socket, { isServer: true, ...KEY_PAIR });
    tls.once("data", () => seen(tls));
    tls.on("error", () => {});
  },
  "a server of node:tls": (seen) => {
    const inner = createTlsServer(KEY_PAIR, (tls) => {
      tls.once("data", () => seen(tls));
      tls.on("error", () => {});
    });
    return (socket) => void inner.emit("connection", socket);
  },
  "a server of node:http2": (seen) => {
    const options = { ...KEY_PAIR, allowHTTP1: true };
    const inner = createSecureServer(options, (request, response) => {
      seen(request.socket);
      response.end();
    });
    return (socket) => void inner.emit("connection", socket);
  },
  // Bun reads TLS as plain HTTP there, with the library or without.
  ...(RUNTIME !== "bun" && {
    "a server of node:https": (seen: Seen) => {
      const inner = createHttpsServer(KEY_PAIR, (request, response) => {
        seen(request.socket);
        response.end();
      });
      return (socket: Socket) => void inner.emit("connection", socket);
    },
  }),
};

/** Where the socket comes from. */
const SOURCES: Record<string, (work: (socket: Socket) => void) => Server> = {
  "proxied()": (work) => proxied(createServer(work), { trust: TRUST }),
  "accept()": (work) =>
    createServer((socket) => {
      accept(socket, { trust: TRUST }).then(({ conn }) => {
        conn.on("error", () => {});
        work(conn);
      }, () => socket.destroy());
    }),
};

/** What a socket shows while it is open. */
interface Shown {
  ends: typeof CLIENT;
  address: object;
  version: number | undefined;
  hop: string | undefined;
}

function shownBy(socket: Socket): Shown {
  const hop = proxyHop(socket);
  return {
    ends: endsOf(socket),
    address: { ...socket.address() },
    version: proxyInfo(socket)?.version,
    hop: hop && "hostname" in hop ? hop.hostname : undefined,
  };
}

const SHOWN: Shown = {
  ends: CLIENT,
  address: { address: "198.51.100.9", family: "IPv4", port: 8443 },
  version: 1,
  hop: "127.0.0.1",
};

for (const [source, serve] of Object.entries(SOURCES)) {
  for (const [way, begin] of Object.entries(WAYS)) {
    test(`${source}, then TLS by ${way}: it shows the client`, async () => {
      const { promise, resolve } = Promise.withResolvers<Shown>();
      const work = begin((socket) => resolve(shownBy(socket)));
      let raw: Socket | undefined;
      const server = serve((socket) => {
        assert.deepEqual(shownBy(socket), SHOWN);
        raw = socket;
        work(socket);
      });
      await listening(server, async (port) => {
        const client = await dialTls(port);
        client.on("error", () => {});
        client.write("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
        const shown = await within(promise, "TLS");
        assert.deepEqual(shown, SHOWN);
        client.destroy();
        raw?.destroy();
      });
    });
  }
}

test("proxied(): a socket says who the client was when it is closed", async () => {
  const { promise, resolve } = Promise.withResolvers<Socket>();
  const server = proxied(createServer(resolve), { trust: TRUST });
  await listening(server, async (port) => {
    const client = await dial(port, HEADER);
    const socket = await within(promise, "the socket");
    const closing = once(socket, "close");
    socket.destroy();
    await within(closing, "the socket to close");
    assert.equal(socket.remoteAddress, CLIENT.remoteAddress);
    assert.equal(socket.remotePort, CLIENT.remotePort);
    client.socket.destroy();
  });
});

test("proxied(): a client of a UNIX socket has no address, and TLS on it neither", async () => {
  const seen = Promise.withResolvers<Socket>();
  const work = WAYS["a TLSSocket"]?.(seen.resolve);
  assert(work !== undefined);
  const server = proxied(createServer(work), { trust: TRUST });
  await listening(server, async (port) => {
    const client = await dialTls(port, { header: UNIX_HEADER });
    client.on("error", () => {});
    client.write("hello");
    const tls = await within(seen.promise, "TLS");
    assert.equal(tls.remoteAddress, undefined);
    assert.equal(tls.remotePort, undefined);
    client.destroy();
    tls.destroy();
  });
});

/** Section 2.2: v2, PROXY, UNIX STREAM, two paths of 108 bytes. */
const UNIX_HEADER = Uint8Array.from([
  ...[0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54],
  ...[0x0a, 0x21, 0x31, 0x00, 0xd8],
  ...Array.from({ length: 216 }, (_, i) => i % 108 < 4 ? 0x2f + i % 108 : 0),
]);
