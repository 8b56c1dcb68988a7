/** What is told a backend of a client: from all that an application of Node holds of it. */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { once } from "node:events";
import {
  createServer as createHttpServer,
  type IncomingMessage,
} from "node:http";
import {
  connect as connectHttp2,
  createSecureServer,
  createServer as createHttp2Server,
  type Http2ServerRequest,
} from "node:http2";
import { createServer as createHttpsServer } from "node:https";
import { createServer, type Server, type Socket } from "node:net";
import { test } from "node:test";
import {
  connect as connectTls,
  createServer as createTlsServer,
} from "node:tls";
import {
  accept,
  headerOf,
  type NodeListenerOptions,
  proxied,
  proxyHop,
  proxyInfo,
  ready,
} from "../../../conn/node.ts";
import { encode } from "../../../mod.ts";
import { BLOCK4, textHex, tlv, v2 } from "../../codec/_hex.ts";
import { HEADERS } from "../_headers.ts";
import { dial, KEY_PAIR, listening, TRUST, within } from "./_kit.ts";

/** With repeated TLVs, in an order of its own. */
const HEADER = v2(
  "2111",
  BLOCK4 + tlv("ea", "01") + tlv("02", textHex("example.com")) +
    tlv("ea", "02"),
);

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

/** What is told from each of these objects; all must tell the same. */
function toldBy(...objects: object[]): string {
  const told = new Set(
    objects.map((object) => hexOf(encode(headerOf(object)))),
  );
  for (const object of objects) {
    assert.equal(proxyInfo(object)?.tlvs.AUTHORITY, "example.com");
    assert.deepEqual(proxyHop(object), proxyHop(objects[0] ?? {}));
  }
  assert.equal(told.size, 1);
  return [...told].join();
}

type Request = IncomingMessage | Http2ServerRequest;
type Tell = (told: string) => void;

function ofRequest(tell: Tell) {
  return (
    request: Request,
    response: { end(): unknown },
  ): void => {
    const session = "stream" in request
      ? [request.stream, request.stream.session ?? {}]
      : [];
    tell(toldBy(request, request.socket, ...session));
    response.end();
  };
}

function ofSocket(tell: Tell) {
  return (socket: Socket): void => {
    tell(toldBy(socket));
    socket.destroy();
  };
}

/** A server of each kind; its client begins after the header. */
const KINDS: Record<
  string,
  { create: (tell: Tell) => Server; isSecure?: true; isHttp2?: true }
> = {
  net: { create: (tell) => createServer(ofSocket(tell)) },
  tls: {
    create: (tell) => createTlsServer(KEY_PAIR, ofSocket(tell)),
    isSecure: true,
  },
  http: { create: (tell) => createHttpServer(ofRequest(tell)) },
  https: {
    create: (tell) => createHttpsServer(KEY_PAIR, ofRequest(tell)),
    isSecure: true,
  },
  http2: {
    create: (tell) => createHttp2Server(ofRequest(tell)),
    isHttp2: true,
  },
  "http2 in TLS": {
    create: (tell) => createSecureServer(KEY_PAIR, ofRequest(tell)),
    isSecure: true,
    isHttp2: true,
  },
};

for (const [name, { create, isSecure, isHttp2 }] of Object.entries(KINDS)) {
  test(`headerOf() of what a server of ${name} hands out`, async () => {
    const { promise, resolve } = Promise.withResolvers<string>();
    const server = proxied(create(resolve), { trust: TRUST });
    await listening(server, async (port) => {
      const { socket: tcp } = await dial(port, HEADER);
      if (isSecure) tcp.removeAllListeners("data");
      const socket = isSecure
        ? connectTls({
          socket: tcp,
          ca: KEY_PAIR.cert,
          servername: "localhost",
          ALPNProtocols: [isHttp2 ? "h2" : "http/1.1"],
        })
        : tcp;
      socket.on("error", () => {});
      if (isHttp2) {
        tcp.removeAllListeners("data");
        const session = connectHttp2("http://localhost", {
          createConnection: () => socket,
        });
        session.on("error", () => {});
        session.request({ ":path": "/" }).on("error", () => {}).resume();
        assert.equal(await within(promise, "the request"), hexOf(HEADER));
        session.destroy();
      } else {
        socket.write("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
        assert.equal(await within(promise, "the request"), hexOf(HEADER));
      }
      socket.destroy();
      tcp.destroy();
    });
  });
}

/** What is told of a connection that begins with `header`. */
async function toldOf(
  header: Uint8Array | string,
  options: Partial<NodeListenerOptions> = {},
): Promise<{ told: ReturnType<typeof headerOf>; port: number; from: number }> {
  const { promise, resolve } = Promise.withResolvers<
    ReturnType<typeof headerOf>
  >();
  const server = createServer((socket) => {
    resolve(headerOf(socket));
    socket.destroy();
  });
  let [to, from] = [0, 0];
  await listening(
    proxied(server, { trust: TRUST, ...options }),
    async (port) => {
      const { socket } = await dial(port, header);
      [to, from] = [port, socket.localPort ?? 0];
      await within(promise, "the connection");
      socket.destroy();
    },
  );
  return { told: await promise, port: to, from };
}

for (const [name, { bytes }] of Object.entries(HEADERS)) {
  test(`headerOf() of ${name}`, async () => {
    const { told } = await toldOf(bytes);
    const isLocal = ["LOCAL", "UNKNOWN", "PROXY and UNSPEC"].includes(name);
    const expected = isLocal
      ? v2("2000")
      : name === "a v1 header"
      ? v2("2111", BLOCK4)
      : bytes;
    assert.equal(hexOf(encode(told)), hexOf(expected));
  });
}

test("headerOf() has the real addresses of a direct peer, and of one whose header is discarded", async () => {
  const modes: [Uint8Array | string, Partial<NodeListenerOptions>][] = [
    ["hello", { trust: "none", untrusted: "direct" }],
    [HEADER, { header: "discard" }],
  ];
  for (const [bytes, options] of modes) {
    const { told, port, from } = await toldOf(bytes, options);
    const host = { transport: "tcp", hostname: "127.0.0.1" };
    assert.deepEqual(told, {
      source: { ...host, port: from },
      destination: { ...host, port },
      tlvs: {},
    });
  }
});

test("headerOf() refuses to guess while a header is awaited", async () => {
  const sockets = Promise.withResolvers<Socket>();
  const server = createServer((socket) => {
    socket.on("error", () => {});
    sockets.resolve(socket);
  });
  proxied(server, { trust: TRUST, lazy: true });
  await listening(server, async (port) => {
    const client = await dial(port);
    const socket = await within(sockets.promise, "the connection");
    assert.throws(() => headerOf(socket), /wait for ready/);
    await client.write(HEADER);
    await within(ready(socket), "the header");
    assert.equal(hexOf(encode(headerOf(socket))), hexOf(HEADER));
    socket.destroy();
    client.socket.destroy();
  });
});

test("headerOf() refuses to guess while accept() is under way, or has failed", async () => {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const server = createServer((socket) => {
    const before = headerOf(socket); // nobody has said that there is a header
    assert.equal(before.command, undefined);
    const accepting = accept(socket, { trust: TRUST });
    assert.throws(() => headerOf(socket), /wait for ready/);
    accepting.then(() => assert.fail("accepted"), () => {
      assert.throws(() => headerOf(socket), /was rejected/);
    }).then(resolve, reject);
  });
  await listening(server, async (port) => {
    const client = await dial(port, "GET / HTTP/1.1\r\n");
    await within(promise, "the rejection");
    client.socket.destroy();
  });
});

test("headerOf() of a socket that has closed says the client that it had", async () => {
  const sockets = Promise.withResolvers<Socket>();
  const server = createServer(sockets.resolve);
  proxied(server, { trust: TRUST });
  await listening(server, async (port) => {
    const client = await dial(port, HEADER);
    const socket = await within(sockets.promise, "the connection");
    const closing = once(socket, "close");
    socket.destroy();
    await within(closing, "a close");
    assert.equal(hexOf(encode(headerOf(socket))), hexOf(HEADER));
    client.socket.destroy();
  });
});

test("headerOf() takes nothing that has no ends", () => {
  for (const stranger of [{}, [], { socket: {} }, createServer(), () => {}]) {
    assert.throws(() => headerOf(stranger), /Cannot name the client/);
  }
});
