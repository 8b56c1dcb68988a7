/** Nothing is left behind by thousands of connections; run by `bun test`. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { assertBytes, Client, concat, KEY_PAIR, pattern } from "./_client.ts";
import { filesAtRest, untilFiles } from "./_files.ts";
import { echo, HEADER, type Served, serving } from "./_kit.ts";

/** Connections of each kind. */
const COUNT = 840;

/** At most so many at once. */
const BATCH = 200;

const PAYLOAD = pattern(1000);

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

test(`Bun: ${5 * COUNT} mixed connections leave no descriptor behind`, async () => {
  await serving(echo(), async (served) => {
    await mix(served, 1); // what the runtime opens once for all
    const before = await filesAtRest();
    await mix(served, COUNT);
    await untilFiles(before);
    const { accepted, pending, rejected } = served.stats;
    assert.deepEqual([accepted, pending], [COUNT + 1, 0]);
    const codes = Object.keys(KINDS).filter((code) => code !== "accepted");
    assert.deepEqual(
      rejected,
      Object.fromEntries(codes.map((code) => [code, COUNT + 1])),
    );
  }, {
    timeout: 60_000, // which none of them is to reach
    verify: async (info) => await Promise.resolve(info.source !== undefined),
  });
});

test(`Bun: ${COUNT} connections that reach their deadline leave no descriptor behind`, async () => {
  await serving(echo(), async (served) => {
    const reach = async (count: number) => {
      const numbers = Array(count).keys();
      const workers = Array.from({ length: BATCH }, async () => {
        for (const _ of numbers) {
          using client = await Client.dial(served.port);
          // On a busy machine it may be closed before.
          await client.send(HEADER.subarray(0, -1)).catch(() => {});
          await client.receiveAll();
        }
      });
      await Promise.all(workers);
    };
    await reach(1);
    const before = await filesAtRest();
    await reach(COUNT);
    await untilFiles(before);
    assert.deepEqual(served.stats.rejected, { timeout: COUNT + 1 });
    assert.equal(served.stats.pending, 0);
  }, { timeout: 100 });
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
      const before = await filesAtRest();
      for (let i = 0; i < 100; i++) await talk();
      await untilFiles(before);
    },
    {},
    { tls: KEY_PAIR },
  );
});
