/**
 * What is not TLS, after a header, to a server of TLS: it ends its own
 * connection and nothing else. Deno hands a TLS session that has failed every
 * further chunk of what is buffered, which ended the process. It still does so
 * for whoever reads a socket, waits, and begins TLS then, library or not.
 */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createSecureServer } from "node:http2";
import { createServer as createHttpsServer } from "node:https";
import { connect, createServer, type Server, type Socket } from "node:net";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { createServer as createTlsServer } from "node:tls";
import { accept, proxied } from "../../../conn/node.ts";
import {
  Client,
  dialTls,
  HEADER,
  KEY_PAIR,
  listening,
  TRUST,
  within,
} from "./_kit.ts";

/** Payloads of the attack, each in the pieces in which it is sent. */
const ATTACKS: readonly Buffer[][] = [
  [Buffer.concat([HEADER, Buffer.alloc(65_496, "x")])],
  [Buffer.concat([HEADER, Buffer.alloc(200_000, "x")])],
  [HEADER, Buffer.alloc(300, "x"), Buffer.alloc(300, "x")],
  [
    Buffer.concat([HEADER, Buffer.alloc(300, "x")]),
    Buffer.alloc(300, "x"),
    Buffer.alloc(300, "x"),
  ],
];

/** Answers later, when more has come. */
async function agree(): Promise<boolean> {
  for (let i = 0; i < 20; i++) await setImmediate();
  return true;
}

const VERIFY = [undefined, agree];

/** Servers of TLS that answer "hello" to whom they can talk with. */
const SERVERS: Record<string, (verify: typeof agree | undefined) => Server> = {
  tls: (verify) =>
    proxied(
      createTlsServer(KEY_PAIR, (socket) => {
        socket.on("error", () => {}).end("hello");
      }),
      { trust: TRUST, ...(verify && { verify }) },
    ),
  https: (verify) =>
    proxied(
      createHttpsServer(KEY_PAIR, (_, response) => response.end("hello")),
      { trust: TRUST, ...(verify && { verify }) },
    ),
  http2: (verify) =>
    proxied(
      createSecureServer(
        { ...KEY_PAIR, allowHTTP1: true },
        (_, response) => response.end("hello"),
      ),
      { trust: TRUST, ...(verify && { verify }) },
    ),
  "accept() and TLS of the application": (verify) => {
    const tls = createTlsServer(KEY_PAIR, (socket) => {
      socket.on("error", () => {}).end("hello");
    });
    tls.on("tlsClientError", () => {});
    return createServer((socket: Socket) => {
      accept(socket, { trust: TRUST, ...(verify && { verify }) }).then(() => {
        socket.on("error", () => {});
        tls.emit("connection", socket);
      }, () => {});
    });
  },
};

for (const [name, create] of Object.entries(SERVERS)) {
  for (const verify of VERIFY) {
    const how = verify ? ", with a verify that takes its time" : "";
    test(`${name}: what is not TLS ends its own connection${how}`, async () => {
      const server = create(verify);
      server.on("tlsClientError", () => {});
      await listening(server, async (port) => {
        for (const pieces of ATTACKS) {
          for (let i = 0; i < 5; i++) {
            const client = connect({ port, host: "127.0.0.1", noDelay: true });
            client.on("error", () => {}).resume();
            const { promise, resolve } = Promise.withResolvers<void>();
            client.on("close", () => resolve());
            for (const piece of pieces) {
              client.write(piece);
              await setImmediate();
            }
            await within(promise, "the server to close");
          }
        }
        const tls = await dialTls(port);
        const client = new Client(tls);
        if (name.startsWith("http")) {
          tls.write("GET / HTTP/1.0\r\nHost: localhost\r\n\r\n");
        }
        assert.match(await client.rest(), /hello/);
        tls.destroy();
      });
    });
  }
}
