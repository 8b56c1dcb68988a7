/** TLS that a balancer ended: what `encrypted` of a socket says with the option `encrypted`. */

import assert from "node:assert/strict";
import { createServer as createHttpServer } from "node:http";
import { createSecureServer } from "node:http2";
import { createServer as createHttpsServer } from "node:https";
import { createServer, type Server, type Socket } from "node:net";
import { test } from "node:test";
import { createServer as createTlsServer, TLSSocket } from "node:tls";
import {
  accept,
  type NodeListenerOptions,
  proxied,
  proxyInfo,
  ready,
} from "../../../conn/node.ts";
import { BLOCK4, hex, tlv, v2 } from "../../codec/_hex.ts";
import { dial, dialTls, KEY_PAIR, listening, TRUST, within } from "./_kit.ts";

/** SSL TLV (section 2.2.6): its client bits, and `SSL_VERIFY` 0. */
const ssl = (client: string) => tlv("20", `${client}00000000`);

/** `PP2_CLIENT_SSL`, as a balancer writes it that has ended TLS. */
const OVER_TLS = v2("2111", BLOCK4 + ssl("01"));

/** What says nothing of the kind. */
const PLAIN: Record<string, Uint8Array> = {
  "a v1 header": hex(
    "50524f58592054435034203139322e302e322e37203139382e35312e3130302e392035313233342038343433 0d0a",
  ),
  "a header without TLVs": v2("2111", BLOCK4),
  "an SSL TLV without the bit": v2("2111", BLOCK4 + ssl("06")),
  "LOCAL with the bit": v2("2000", ssl("01")),
};

/** What a socket says: `undefined` where nothing does. */
function encrypted(socket: object): unknown {
  return Reflect.get(socket, "encrypted");
}

/** What a server of `node:net` sees of a connection that begins with `header`. */
async function seen(
  header: Uint8Array,
  options: Partial<NodeListenerOptions>,
): Promise<unknown> {
  const { promise, resolve } = Promise.withResolvers<unknown>();
  const server = createServer((socket) => {
    resolve(encrypted(socket));
    socket.destroy();
  });
  proxied(server, { trust: TRUST, ...options });
  await listening(server, async (port) => {
    const client = await dial(port, header);
    await within(promise, "the connection");
    client.socket.destroy();
  });
  return await promise;
}

test("encrypted: true shows TLS of the client, false and none do not", async () => {
  assert.equal(await seen(OVER_TLS, { encrypted: true }), true);
  assert.equal(await seen(OVER_TLS, { encrypted: false }), undefined);
  assert.equal(await seen(OVER_TLS, {}), undefined);
});

test("encrypted: true shows TLS of a client without an address", async () => {
  const header = v2("2100", ssl("01"));
  assert.equal(await seen(header, { encrypted: true }), true);
});

for (const [name, header] of Object.entries(PLAIN)) {
  test(`encrypted: true shows nothing for ${name}`, async () => {
    assert.equal(await seen(header, { encrypted: true }), undefined);
  });
}

test("encrypted: true shows nothing of a header that is discarded, or not looked for", async () => {
  const discard = { encrypted: true, header: "discard" } as const;
  assert.equal(await seen(OVER_TLS, discard), undefined);
  const direct = {
    encrypted: true,
    trust: "none",
    untrusted: "direct",
  } as const;
  assert.equal(await seen(OVER_TLS, direct), undefined);
});

test("encrypted: true shows nothing of an untrusted peer, who is rejected", async () => {
  const codes: string[] = [];
  const server = createServer(() => assert.fail("admitted"));
  proxied(server, {
    trust: ["192.0.2.0/24"],
    encrypted: true,
    onReject: ({ code }) => codes.push(code),
  });
  await listening(server, async (port) => {
    await (await dial(port, OVER_TLS)).rest();
  });
  assert.deepEqual(codes, ["untrusted"]);
});

test("accept() has the option encrypted", async () => {
  const { promise, resolve, reject } = Promise.withResolvers<Socket>();
  const server = createServer((socket) => {
    accept(socket, { trust: TRUST, encrypted: true })
      .then(({ conn }) => resolve(conn), reject);
  });
  await listening(server, async (port) => {
    const client = await dial(port, OVER_TLS);
    const socket = await within(promise, "the connection");
    assert.equal(encrypted(socket), true);
    socket.destroy();
    client.socket.destroy();
  });
});

test("encrypted: true with lazy changes the socket when its header arrives", async () => {
  const { promise, resolve } = Promise.withResolvers<Socket>();
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.write("220 hello\r\n");
    resolve(socket);
  });
  proxied(server, { trust: TRUST, encrypted: true, lazy: true });
  await listening(server, async (port) => {
    const client = await dial(port);
    await client.until("220");
    const socket = await within(promise, "the connection");
    assert.equal(encrypted(socket), undefined);
    await client.write(OVER_TLS);
    await within(ready(socket), "the header");
    assert.equal(encrypted(socket), true);
    socket.destroy();
    client.socket.destroy();
  });
});

/** Servers that end TLS themselves; what they have seen is resolved. */
const SECURE: Record<string, (seen: (socket: object) => void) => Server> = {
  "a server of node:tls": (seen) =>
    createTlsServer(KEY_PAIR, (socket) => {
      seen(socket);
      socket.destroy();
    }),
  "a server of node:https": (seen) =>
    createHttpsServer(KEY_PAIR, (request, response) => {
      seen(request.socket);
      response.end();
    }),
  "a secure server of node:http2": (seen) =>
    createSecureServer(
      { ...KEY_PAIR, allowHTTP1: true },
      (request, response) => {
        seen(request.socket);
        response.end();
      },
    ),
};

for (const [name, create] of Object.entries(SECURE)) {
  for (const header of [OVER_TLS, v2("2111", BLOCK4)]) {
    test(`encrypted: true leaves ${name} as it is, header of ${header.length} bytes`, async () => {
      const { promise, resolve } = Promise.withResolvers<unknown[]>();
      const server = create((socket) =>
        resolve([encrypted(socket), proxyInfo(socket)?.source])
      );
      proxied(server, { trust: TRUST, encrypted: true });
      await listening(server, async (port) => {
        const client = await dialTls(port, { header });
        client.on("error", () => {});
        client.write("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
        const [isEncrypted, source] = await within(promise, "TLS");
        assert.equal(isEncrypted, true);
        assert.deepEqual(source, {
          transport: "tcp",
          hostname: "192.0.2.1",
          port: 56324,
        });
        client.destroy();
      });
    });
  }
}

test("TLS that the application starts works on a socket that is shown as encrypted", async () => {
  const { promise, resolve } = Promise.withResolvers<string>();
  const server = createServer((socket) => {
    assert.equal(encrypted(socket), true);
    const tls = new TLSSocket(socket, { isServer: true, ...KEY_PAIR });
    tls.on("error", () => {});
    tls.once("data", (chunk) => {
      resolve(`${encrypted(tls)} ${chunk}`);
      tls.destroy();
    });
  });
  proxied(server, { trust: TRUST, encrypted: true });
  await listening(server, async (port) => {
    const client = await dialTls(port, { header: OVER_TLS });
    client.on("error", () => {});
    client.write("hello");
    assert.equal(await within(promise, "TLS"), "true hello");
    client.destroy();
  });
});

test("encrypted: true does not change what the next client on the port is", async () => {
  const server = createHttpServer((request, response) => {
    response.end(`seen ${encrypted(request.socket) === true};`);
  });
  proxied(server, { trust: TRUST, encrypted: true });
  await listening(server, async (port) => {
    const get = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
    const first = await dial(port, OVER_TLS, get);
    await first.until("seen true;");
    const second = await dial(port, v2("2111", BLOCK4), get);
    await second.until("seen false;");
    await first.write(get); // keep-alive: it is that of the connection
    await first.until("seen true;", 2);
    for (const { socket } of [first, second]) socket.destroy();
  });
});

test("encrypted takes true and false alone", () => {
  for (const value of ["true", 1, null, "header", {}]) {
    const options: NodeListenerOptions = JSON.parse(
      JSON.stringify({ trust: TRUST, encrypted: value }),
    );
    assert.throws(
      () => proxied(createServer(), options),
      { name: "TypeError", message: /encrypted/ },
    );
  }
});
