/** What belongs to another entry point, or only looks as if connections came by it. */

import { createSocket } from "node:dgram";
import { EventEmitter } from "node:events";
import { createServer as createHttpServer } from "node:http";
import { createServer as createHttp2Server } from "node:http2";
import { createServer as createHttpsServer } from "node:https";
import { createServer, Socket } from "node:net";
import { Duplex } from "node:stream";
import { createServer as createTlsServer } from "node:tls";
import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import * as bun from "../../conn/bun.ts";
import * as node from "../../conn/node.ts";
import { accept, proxied } from "../../mod.ts";
import { tcpPair, TRUST } from "./_loopback.ts";
import { listen } from "./_peers.ts";

const OPTIONS = { trust: TRUST };

/** As `SMTPServer`, `ssh2.Server` and `WebSocketServer` are: no server, but with one. */
class Application extends EventEmitter {
  listen(): void {}
  close(): void {}
  address(): void {}
  getConnections(): void {}
}

/** Calls with what types do not let through. */
function call(work: unknown, ...args: unknown[]): unknown {
  if (typeof work !== "function") throw new Error("Not a function");
  return Reflect.apply(work, undefined, args);
}

Deno.test("proxied() of ./node wraps servers of its five modules alone", () => {
  const servers = [
    createServer(),
    createTlsServer(),
    createHttpServer(),
    createHttpsServer(),
    createHttp2Server(),
  ];
  for (const server of servers) {
    assertEquals(node.proxied(server, OPTIONS).stats.accepted, 0);
  }
  const expected =
    "Cannot wrap the server: expected one of node:net, node:tls, node:http, node:https or node:http2";
  const datagrams = createSocket("udp4");
  const strangers: [given: unknown, hint: string][] = [
    [undefined, ""],
    [null, ""],
    [8080, ""],
    [{}, ""],
    [new Application(), ""],
    [datagrams, ""],
    [new Duplex(), ""],
    [new Socket(), ""],
    ...["server", "_server", "socketServer", "httpServer"].map((
      name,
    ): [unknown, string] => [
      Object.assign(new Application(), { [name]: createServer() }),
      `; wrap its .${name} instead`,
    ]),
  ];
  for (const [given, hint] of strangers) {
    const error = assertThrows(
      () => call(node.proxied, given, OPTIONS),
      TypeError,
    );
    assertEquals(error.message, expected + hint);
  }
  datagrams.close();
  using listener = listen();
  assertThrows(
    () => call(node.proxied, listener, OPTIONS),
    TypeError,
    "for a listener with accept() use proxied() of @edgewire/proxy-protocol",
  );
});

Deno.test("proxied() of . names the entry point of what it does not wrap", () => {
  assertThrows(
    () => call(proxied, createServer(), OPTIONS),
    TypeError,
    "use proxied() of @edgewire/proxy-protocol/node",
  );
  for (const given of [undefined, {}, () => {}, "8080"]) {
    assertThrows(
      () => call(proxied, given, OPTIONS),
      TypeError,
      "expected one with accept() and close()",
    );
  }
});

Deno.test("proxied() of ./bun names the entry point of what it does not wrap", () => {
  assertThrows(
    () => call(bun.proxied, createServer(), OPTIONS),
    TypeError,
    "use proxied() of @edgewire/proxy-protocol/node",
  );
  using listener = listen();
  assertThrows(
    () => call(bun.proxied, listener, OPTIONS),
    TypeError,
    "use proxied() of @edgewire/proxy-protocol",
  );
  for (const given of [undefined, "data"]) {
    assertThrows(
      () => call(bun.proxied, given, OPTIONS),
      TypeError,
      "expected those of Bun.listen({ socket })",
    );
  }
});

Deno.test("accept() names the entry point of what it does not accept", async () => {
  await assertRejects(
    async () => await call(accept, new Socket(), OPTIONS),
    TypeError,
    "use accept() of @edgewire/proxy-protocol/node",
  );
  using pair = await tcpPair();
  await assertRejects(
    async () => await call(node.accept, pair.server, OPTIONS),
    TypeError,
    "use accept() of @edgewire/proxy-protocol",
  );
  for (const given of [undefined, {}, "connection", new ReadableStream()]) {
    await assertRejects(
      async () => await call(accept, given, OPTIONS),
      TypeError,
      "Cannot accept the connection: expected one with read() and write()",
    );
    await assertRejects(
      async () => await call(node.accept, given, OPTIONS),
      TypeError,
      "Cannot accept the socket: expected one of node:net or node:tls",
    );
  }
});

Deno.test("what is wrapped is not wrapped again", () => {
  using listener = proxied(listen(), OPTIONS);
  assertThrows(() => call(proxied, listener, OPTIONS), TypeError, "already");
  const handlers = bun.proxied({}, OPTIONS);
  assertThrows(
    () => call(bun.proxied, handlers, OPTIONS),
    TypeError,
    "already",
  );
  const server = node.proxied(createServer(), OPTIONS);
  assertThrows(() => node.proxied(server, OPTIONS), TypeError, "already");
});

Deno.test("accept() rejects a socket of UDP, as a Worker may get it, before it touches it", async () => {
  const socket = {
    protocol: "udp",
    get readable(): ReadableStream<Uint8Array> {
      throw new Error("touched");
    },
    get writable(): WritableStream<Uint8Array> {
      throw new Error("touched");
    },
  };
  await assertRejects(
    () => accept(socket, OPTIONS),
    TypeError,
    "Cannot accept a socket of UDP: a header is in each datagram, use DatagramSessions",
  );
});
