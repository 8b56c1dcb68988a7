/**
 * What servers of HTTP write to proxied sockets arrives as it was written: on
 * Bun the writes of one turn are joined. Run by `node_test.ts`.
 */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { execFile } from "node:child_process";
import { once } from "node:events";
import { createServer as createHttp, type RequestListener } from "node:http";
import { createServer as createHttps } from "node:https";
import type { Server, Socket } from "node:net";
import process from "node:process";
import { test } from "node:test";
import { proxied } from "../../../conn/node.ts";
import {
  Client,
  dial,
  dialTls,
  HEADER,
  KEY_PAIR,
  listening,
  pattern,
  RUNTIME,
  TRUST,
  within,
} from "./_kit.ts";

const GET = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
const CLOSE = "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
const UPGRADE = "GET / HTTP/1.1\r\nHost: localhost\r\n" +
  "Connection: Upgrade\r\nUpgrade: raw\r\n\r\n";

/** Serves proxied, and dials with a header. */
async function serving(
  server: Server,
  work: (client: Client) => Promise<void>,
): Promise<void> {
  proxied(server, { trust: TRUST });
  await listening(server, async (port) => {
    const client = await dial(port, HEADER);
    try {
      await work(client);
    } finally {
      client.socket.destroy();
    }
  });
}

const KINDS = {
  http: {
    create: (listener: RequestListener): Server => createHttp(listener),
    dial: (port: number) => dial(port, HEADER),
  },
  https: {
    create: (listener: RequestListener): Server =>
      createHttps(KEY_PAIR, listener),
    dial: async (port: number) => new Client(await dialTls(port)),
  },
};

/** Counts what a stream hands to the runtime. */
function countWrites(stream: object): () => number {
  let count = 0;
  const write: unknown = Reflect.get(stream, "_write");
  assert(typeof write === "function");
  // As both do that the stream calls, on Bun.
  Reflect.set(stream, "_write", (...args: unknown[]) => {
    count++;
    return Reflect.apply(write, stream, args);
  });
  return () => count;
}

for (const [name, kind] of Object.entries(KINDS)) {
  test(`${name}: head and body of a response are sent together`, async () => {
    const counts = new Set<() => number>();
    const sockets = new Set<Socket>();
    const server = kind.create(({ socket }, response) => {
      if (!sockets.has(socket)) counts.add(countWrites(socket));
      sockets.add(socket);
      response.end("hello\n");
    });
    proxied(server, { trust: TRUST });
    await listening(server, async (port) => {
      const client = await kind.dial(port);
      for (let i = 1; i <= 20; i++) {
        await client.write(GET);
        await client.until("hello\n", i);
      }
      client.socket.destroy();
    });
    const [count] = counts;
    // Elsewhere HTTP does that itself, and does not ask the stream.
    if (RUNTIME === "bun") assert.equal(count?.(), 20);
    assert.equal(sockets.size, 1);
  });
}

test("http: responses in parts, and interim ones, arrive in their order", async () => {
  const server = createHttp((request, response) => {
    response.write("ONE ");
    response.write(Buffer.from("TWO "));
    process.nextTick(() => {
      response.write("THREE ");
      queueMicrotask(() => response.end("FOUR"));
    });
    request.resume();
  });
  server.on("checkContinue", (request, response) => {
    response.writeContinue();
    request.on("data", (chunk) => response.end(`got ${chunk}`));
  });
  await serving(server, async (client) => {
    await client.write(GET);
    const all = await client.until("\r\n0\r\n\r\n");
    const body = all.slice(all.indexOf("\r\n\r\n"));
    assert.equal(
      body.replaceAll(/\r\n[0-9a-f]*/g, ""),
      "ONE TWO THREE FOUR",
    );
    await client.write(
      "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n",
    );
    await client.until("HTTP/1.1 100 Continue\r\n\r\n");
    await client.write("body");
    await client.until("got body");
  });
});

test("http: a long response waits for 'drain', and its callbacks come in their order", async () => {
  const chunk = pattern(50_000);
  const count = 400;
  const log: number[] = [];
  let waits = 0;
  const server = createHttp(async (_request, response) => {
    response.setHeader("content-length", chunk.length * count);
    for (let i = 0; i < count; i++) {
      const hasRoom = response.write(chunk, () => log.push(i));
      if (hasRoom) continue;
      waits++;
      await once(response, "drain");
    }
    response.end();
  });
  await serving(server, async (client) => {
    client.socket.pause();
    client.socket.write(GET);
    setTimeout(() => client.socket.resume(), 50);
    const all = await client.take(chunk.length * count);
    const start = all.indexOf("\r\n\r\n") + 4;
    await client.take(start + chunk.length * count);
    const body = client.received.subarray(start);
    for (let i = 0; i < count; i++) {
      const at = i * chunk.length;
      assert(body.subarray(at, at + chunk.length).equals(chunk), `chunk ${i}`);
    }
  });
  assert(waits > 0);
  assert.deepEqual(log, [...Array(count).keys()]);
});

test("http: an upgraded socket counts, drains, ends and pipes as any other", async () => {
  const facts: unknown[] = [];
  const server = createHttp();
  server.on("upgrade", (_request, socket: Socket) => {
    socket.write("HTTP/1.1 101 Switching Protocols\r\n\r\n");
    socket.write("one ");
    socket.cork();
    socket.write("two ");
    socket.write("three ");
    socket.uncork();
    socket.write(pattern(20_000));
    facts.push(socket.writableCorked); // too much to be kept
    socket.write("four", () => {
      facts.push(socket.writableLength, socket.writableCorked);
      socket.on("finish", () => facts.push("finish"));
      socket.pipe(socket); // ends it with the client
    });
  });
  await serving(server, async (client) => {
    await client.write(UPGRADE);
    await client.until("\r\n\r\none two three ");
    await client.until("four");
    const sent = pattern(1 << 20);
    client.socket.write(sent);
    const length = client.received.length;
    await client.take(length + sent.length);
    assert(client.received.subarray(length).equals(sent));
    client.socket.end();
    await client.rest();
  });
  assert.deepEqual(facts, [0, 0, 0, "finish"]);
});

test("http: what is written arrives before an end or a destroy of the same turn", async () => {
  for (const how of ["end", "destroy", "destroySoon"] as const) {
    const server = createHttp();
    server.on("upgrade", (_request, socket: Socket) => {
      socket.write("first ");
      socket.write("last");
      socket[how]();
    });
    await serving(server, async (client) => {
      await client.write(UPGRADE);
      assert.equal(await client.rest(), "first last", how);
    });
  }
});

test("http: a malformed request and Connection: close are answered before the end", async () => {
  const server = createHttp((_request, response) => response.end("bye"));
  await serving(server, async (client) => {
    await client.write(CLOSE);
    assert.match(await client.rest(), /\r\n\r\nbye$/);
  });
  const strict = createHttp(() => assert.fail("No request"));
  await serving(strict, async (client) => {
    await client.write("not HTTP\r\n\r\n");
    assert.match(await client.rest(), /^HTTP\/1.1 400 /);
  });
});

test("http: a response arrives though the program ends in the same turn", async () => {
  const library = new URL("../../../conn/node.ts", import.meta.url).pathname;
  const program = `
    import { createServer } from "node:http";
    import process from "node:process";
    import { proxied } from ${JSON.stringify(library)};
    const server = createServer((_request, response) => {
      response.end("bye");
      process.exit();
    });
    proxied(server, { trust: ["127.0.0.1"] });
    server.listen(0, "127.0.0.1", () => console.log(server.address().port));
  `;
  const flags = RUNTIME === "deno"
    ? ["eval", "--no-lock", "--quiet"]
    : RUNTIME === "node"
    ? ["--input-type=module", "-e"]
    : ["-e"];
  const child = execFile(process.execPath, [...flags, program]);
  const ended = once(child, "close");
  assert(child.stdout !== null);
  const [line] = await within(once(child.stdout, "data"), "a port");
  const client = await dial(Number(line), HEADER);
  client.socket.write(GET);
  assert.match(await client.rest(), /\r\n\r\nbye$/);
  await within(ended, "the program to end");
});
