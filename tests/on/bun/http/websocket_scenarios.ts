/** WebSockets of `serveHttp` belong to the client of their request. */

import assert from "node:assert/strict";
import { connect, createServer } from "node:net";
import { test } from "node:test";
import { proxyHop, proxyInfo } from "../../../../conn/bun.ts";
import { Queue } from "../_client.ts";
import { addressOf, claimOf, serve, within } from "./_kit.ts";

/** As much of a WebSocket as is used. */
interface Served {
  readonly remoteAddress: string;
  readonly data: unknown;
  send(text: string): void;
  subscribe(topic: string): void;
  close(): void;
}

/** A WebSocket of the runtime, by way of a proxy that sends the header of a client. */
async function open(id: number, port: number, path = "/") {
  const proxy = createServer((socket) => {
    const target = connect(port, "127.0.0.1");
    target.write(claimOf(id));
    socket.pipe(target).pipe(socket);
    for (const end of [socket, target]) end.on("error", () => {});
  });
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  const address = proxy.address();
  assert(typeof address === "object" && address !== null);
  const messages = new Queue<string>();
  const socket = new WebSocket(`ws://127.0.0.1:${address.port}${path}`);
  socket.onmessage = ({ data }) => messages.add(String(data));
  const closed = new Promise<void>((resolve) => {
    socket.onclose = () => resolve();
  });
  const opened = new Promise<void>((resolve, reject) => {
    socket.onopen = () => resolve();
    closed.then(() => reject(new Error("The WebSocket was closed")));
  });
  opened.catch(() => {});
  await within(opened, "a WebSocket");
  return {
    send: (text: string) => socket.send(text),
    next: () => messages.next("a message"),
    closed,
    async [Symbol.asyncDispose]() {
      socket.close();
      await within(closed, "the WebSocket to close");
      await new Promise((resolve) => proxy.close(resolve));
    },
  };
}

/** Says all that is known of a WebSocket. */
function see(ws: Served): string {
  const { source } = proxyInfo(ws) ?? {};
  const hop = proxyHop(ws);
  return JSON.stringify([
    ws.remoteAddress,
    source && "port" in source ? source.port : null,
    hop && "hostname" in hop ? hop.hostname : null,
  ]);
}

const HANDLERS = {
  open: (ws: Served) => ws.send(see(ws)),
  message: (ws: Served, text: string) => ws.send(`${see(ws)} ${text}`),
};

test("serveHttp: 50 WebSockets show their client and its header, from open on", async () => {
  await using served = serve({
    fetch: (request, server) =>
      server.upgrade(request) ? undefined : new Response("no"),
    websocket: HANDLERS,
  });
  await Promise.all(Array.from({ length: 50 }, async (_, id) => {
    const { hostname, port } = addressOf(id);
    const expected = JSON.stringify([hostname, port, "127.0.0.1"]);
    await using ws = await open(id, served.port);
    assert.equal(await ws.next(), expected);
    for (const text of ["one", "two"]) {
      ws.send(text);
      assert.equal(await ws.next(), `${expected} ${text}`);
    }
  }));
});

test("serveHttp: a WebSocket that is opened later, or within another's open, has its own client", async () => {
  const first = Promise.withResolvers<Request>();
  const isOpen = Promise.withResolvers<void>();
  let within: Request | undefined;
  await using served = serve({
    async fetch(request, server) {
      if (request.url.endsWith("/inner")) {
        first.resolve(request);
        await isOpen.promise; // which upgrades this request
        return undefined;
      }
      within = await first.promise;
      const options = { data: "outer" };
      return server.upgrade(request, options) ? undefined : new Response("no");
    },
    websocket: {
      ...HANDLERS,
      open(ws: Served) {
        if (ws.data === "outer" && within !== undefined) {
          assert(served.server.upgrade(within, { data: "inner" }));
          isOpen.resolve();
        }
        ws.send(see(ws));
      },
    },
  });
  const [inner, outer] = await Promise.all([
    open(1, served.port, "/inner"),
    open(2, served.port, "/outer"),
  ]);
  await using _inner = inner;
  await using _outer = outer;
  for (const [ws, id] of [[inner, 1], [outer, 2]] as const) {
    const { hostname, port } = addressOf(id);
    const expected = JSON.stringify([hostname, port, "127.0.0.1"]);
    assert.equal(await ws.next(), expected);
    ws.send("text");
    assert.equal(await ws.next(), `${expected} text`);
  }
});

test("serveHttp: handlers of a class, publish, pendingWebSockets and close work as without a proxy", async () => {
  const log: string[] = [];
  class Handlers {
    open(ws: Served): void {
      ws.subscribe("all");
    }
    message(ws: Served, text: string): void {
      served.server.publish("all", `${ws.remoteAddress}: ${text}`);
    }
    close(_ws: Served, code: number): void {
      log.push(`closed ${code}`);
    }
  }
  await using served = serve({
    fetch: (request, server) =>
      server.upgrade(request) ? undefined : new Response("no"),
    websocket: new Handlers(),
  });
  {
    await using one = await open(1, served.port);
    await using two = await open(2, served.port);
    one.send("hello");
    const expected = `${addressOf(1).hostname}: hello`;
    assert.equal(await one.next(), expected);
    assert.equal(await two.next(), expected);
    assert.equal(served.server.pendingWebSockets, 2);
  }
  assert.deepEqual(log, ["closed 1005", "closed 1005"]);
  assert.equal(served.server.pendingWebSockets, 0);
  const ws = await open(3, served.port);
  ws.send("again");
  await ws.next();
  await within(served.server.stop(true), "stop");
  await within(ws.closed, "the WebSocket to close");
  await ws[Symbol.asyncDispose]();
});
