/** Bodies arrive as they were sent, and little is kept of those that nobody reads. */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import process from "node:process";
import { test } from "node:test";
import { assertBytes, pattern, Queue } from "../_client.ts";
import type { Facts } from "./_bodies_server.ts";
import { claimOf, concat, HttpClient, serve, utf8, within } from "./_kit.ts";

const MEGABYTE = 1 << 20;

/** How much is sent to a reader that sleeps, in bytes. */
const MUCH = 200 * MEGABYTE;

/** How much more memory than Bun.serve alone a body may take, in bytes. */
const ALLOWED = 50 * MEGABYTE;

test("serveHttp: a chunked body of 3 MB is echoed", async () => {
  await using served = serve({ fetch: ({ body }) => new Response(body) });
  using client = await HttpClient.as(1, served.port);
  const sent = pattern(3 * MEGABYTE);
  client.request("/", {
    method: "POST",
    headers: { "transfer-encoding": "chunked" },
  });
  for (let at = 0; at < sent.length; at += 100_003) {
    const chunk = sent.subarray(at, at + 100_003);
    const head = utf8(`${chunk.length.toString(16)}\r\n`);
    client.send(concat([head, chunk, utf8("\r\n")]));
  }
  client.send("0\r\n\r\n");
  const { body } = await client.answer();
  assertBytes(Uint8Array.from(body, (byte) => byte.charCodeAt(0)), sent);
});

/** A server in a process of its own. */
class Server implements Disposable {
  readonly #kind: "ours" | "bare";
  readonly #child;
  readonly #lines = new Queue<string>();
  port = 0;

  constructor(kind: "ours" | "bare") {
    const script = new URL("_bodies_server.ts", import.meta.url).pathname;
    this.#kind = kind;
    this.#child = spawn(process.execPath, [script, kind], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    this.#child.stdout.on("data", (chunk) => this.#lines.add(`${chunk}`));
  }

  static async start(kind: "ours" | "bare"): Promise<Server> {
    const server = new Server(kind);
    server.port = Number(await server.#lines.next("a port"));
    return server;
  }

  async dial(): Promise<HttpClient> {
    const client = await HttpClient.dial(this.port);
    if (this.#kind === "ours") client.send(claimOf(1));
    return client;
  }

  async facts(path = "/"): Promise<Facts> {
    using client = await this.dial();
    return JSON.parse((await client.get(path)).body);
  }

  /** Waits until a fact does not change any more. */
  async rest(name: "produced" | "consumed"): Promise<Facts> {
    for (let last: Facts | undefined, still = 0;;) {
      const now = await this.facts();
      still = now[name] === last?.[name] ? still + 1 : 0;
      if (still === 20) return now;
      last = now;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  [Symbol.dispose](): void {
    this.#child.kill();
  }
}

/** Sends much to a handler that sleeps; how much memory that takes, and how much is taken. */
async function upload(kind: "ours" | "bare") {
  using server = await Server.start(kind);
  const before = await server.facts();
  using client = await server.dial();
  const { socket } = client;
  client.request("/take", {
    method: "POST",
    headers: { "content-length": `${MUCH}` },
  });
  const chunk = new Uint8Array(MEGABYTE);
  let isFull = false;
  const sending = (async () => {
    for (let sent = 0; sent < MUCH; sent += chunk.length) {
      isFull = !socket.write(chunk);
      if (isFull) await once(socket, "drain");
    }
  })();
  const asleep = await server.rest("consumed");
  assert(isFull && asleep.consumed > 0);
  await server.facts("/wake");
  await within(sending, "all to be sent");
  assert.equal((await client.answer()).body, `${MUCH}`);
  return { memory: (await server.facts()).peak - before.peak };
}

/** Asks for much and sleeps; how much memory that takes, and how much was produced. */
async function download(kind: "ours" | "bare") {
  using server = await Server.start(kind);
  const before = await server.facts();
  using client = await server.dial();
  const { socket } = client;
  socket.removeAllListeners("data");
  socket.pause();
  client.request(`/give?${MUCH}`);
  const { produced } = await server.rest("produced");
  assert(produced > 0 && produced < MUCH);
  let received = 0;
  const all = Promise.withResolvers<void>();
  socket.on("data", ({ length }: Uint8Array) => {
    received += length;
    if (received > MUCH) all.resolve(); // with the lengths of the chunks
  });
  socket.resume();
  await within(all.promise, "all to arrive");
  return { produced, memory: (await server.facts()).peak - before.peak };
}

test("serveHttp: 200 MB to a handler that sleeps take at most 50 MB more memory than by Bun.serve", async () => {
  const [ours, bare] = [await upload("ours"), await upload("bare")];
  assert(ours.memory < bare.memory + ALLOWED, JSON.stringify({ ours, bare }));
});

test("serveHttp: 200 MB to a client that sleeps take at most 50 MB more memory than by Bun.serve", async () => {
  const [ours, bare] = [await download("ours"), await download("bare")];
  assert(ours.memory < bare.memory + ALLOWED, JSON.stringify({ ours, bare }));
  assert(ours.produced < bare.produced + ALLOWED);
});
