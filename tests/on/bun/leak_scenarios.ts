/** Nothing is left behind by thousands of connections; run by `bun test`. */

import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import {
  assertBytes,
  Client,
  concat,
  KEY_PAIR,
  pattern,
  within,
} from "./_client.ts";
import { echo, HEADER, type Served, serving } from "./_kit.ts";

/** Connections of each kind. */
const COUNT = 840;

/** At most so many at once. */
const BATCH = 200;

const PAYLOAD = pattern(1000);

function openFiles(): number {
  return readdirSync("/proc/self/fd").length;
}

/** What a client does, by what becomes of it. */
const KINDS: Record<string, (client: Client) => Promise<void>> = {
  async accepted(client) {
    await client.send(concat([HEADER, PAYLOAD]));
    assertBytes(await client.receive(PAYLOAD.length), PAYLOAD);
    client.end();
  },
  signature: (client) => client.send("GET / HTTP/1.1\r\n\r\n"),
  async incomplete(client) {
    await client.send(HEADER.subarray(0, 20));
    client.end();
  },
  async empty(client) {
    await Promise.resolve(client.end());
  },
  timeout: (client) => client.send(HEADER.subarray(0, -1)),
  verify: (client) => client.send("PROXY UNKNOWN\r\n"),
};

async function mix({ port }: Served, count: number): Promise<void> {
  const kinds = Object.values(KINDS);
  const numbers = Array(count * kinds.length).keys();
  const workers = Array.from({ length: BATCH }, async () => {
    for (const i of numbers) {
      using client = await Client.dial(port);
      await kinds[i % kinds.length]?.(client);
      await client.receiveAll();
    }
  });
  await Promise.all(workers);
}

test(`Bun: ${6 * COUNT} mixed connections leave no descriptor behind`, async () => {
  await serving(echo(), async (served) => {
    await mix(served, 1); // what the runtime opens once for all
    await closing(served);
    const before = openFiles();
    await mix(served, COUNT);
    await closing(served);
    assert.equal(openFiles(), before);
    const { accepted, pending, rejected } = served.stats;
    assert.deepEqual([accepted, pending], [COUNT + 1, 0]);
    const codes = Object.keys(KINDS).filter((code) => code !== "accepted");
    assert.deepEqual(
      rejected,
      Object.fromEntries(codes.map((code) => [code, COUNT + 1])),
    );
  }, {
    timeout: 1000, // which only those that are to reach it do
    verify: async (info) => await Promise.resolve(info.source !== undefined),
  });
});

test("Bun: TLS connections leave no descriptor behind", async () => {
  await serving(
    echo(),
    async (served) => {
      const talk = async () => {
        using client = await Client.dialTls(served.port);
        await client.send(concat([HEADER, PAYLOAD]));
        assertBytes(await client.receive(PAYLOAD.length), PAYLOAD);
        client.end();
        await client.receiveAll();
      };
      await talk();
      await closing(served);
      const before = openFiles();
      for (let i = 0; i < 100; i++) await talk();
      await closing(served);
      assert.equal(openFiles(), before);
    },
    {},
    { tls: KEY_PAIR },
  );
});

/** Waits until the sockets of both ends are closed: no more files are closed in a turn. */
async function closing({ stats }: Served): Promise<void> {
  await within(
    (async () => {
      for (let still = 0, last = 0; still < 20;) {
        await setImmediate();
        const now = openFiles() + stats.pending;
        still = now === last ? still + 1 : 0;
        last = now;
      }
    })(),
    "the connections to close",
  );
}
