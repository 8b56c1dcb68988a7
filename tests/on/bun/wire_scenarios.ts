/** Headers in all their pieces, and what comes behind them; run by `bun test`. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { proxyHop, type ProxyInfo, proxyInfo } from "../../../conn/bun.ts";
import { decode } from "../../../mod.ts";
import { CAPTURES } from "../../_captures.ts";
import type { Socket } from "./_bun.ts";
import {
  assertBytes,
  Client,
  concat,
  pattern,
  Queue,
  utf8,
  within,
} from "./_client.ts";
import {
  echo,
  HEADER,
  type Served,
  serving,
  SHOWN,
  shown,
  toBytes,
} from "./_kit.ts";

const MEBIBYTE = 1024 * 1024;

/** What nginx and h2o send for mixed families is among the captures. */
const LENIENT = { mixedTcp6: true };

/** At most so many connections at once. */
const BATCH = 64;

async function forEach<T>(
  items: readonly T[],
  work: (item: T) => Promise<void>,
): Promise<void> {
  const queue = items.values();
  const workers = Array.from({ length: BATCH }, async () => {
    for (const item of queue) await work(item);
  });
  await Promise.all(workers);
}

/** Sends pieces, each once the listener has handled the one before; the echo of what follows the header. */
async function exchange(
  { port, arrival }: Served,
  pieces: Uint8Array[],
  length: number,
): Promise<Uint8Array> {
  using client = await Client.dial(port);
  for (const [i, piece] of pieces.entries()) {
    if (i > 0) await arrival(client);
    await client.send(piece);
  }
  return await client.receive(length);
}

/** Runs an echo, with the headers that it is told. */
async function echoing(
  work: (
    served: Served,
    infos: (ProxyInfo | undefined)[],
  ) => Promise<void>,
): Promise<void> {
  const infos: (ProxyInfo | undefined)[] = [];
  await serving(
    echo((_socket, info) => infos.push(info)),
    (served) => work(served, infos),
    LENIENT,
  );
}

test("Bun: each captured header, glued to its payload and alone", async () => {
  await echoing(async (served, infos) => {
    for (const { id, header, payload } of CAPTURES) {
      const tail = concat([payload, utf8(`after ${id}`)]);
      for (const pieces of [[concat([header, tail])], [header, tail]]) {
        const echoed = await exchange(served, pieces, tail.length);
        assertBytes(echoed, tail);
        assert.deepEqual(infos.pop(), decode(header, LENIENT), id);
      }
    }
    assert.equal(served.stats.accepted, 2 * CAPTURES.length);
    assert.deepEqual(served.stats.rejected, {});
  });
});

test("Bun: each captured header, split at each byte", async () => {
  const cuts = CAPTURES.flatMap((capture) =>
    Array.from(capture.header.keys(), (cut) => ({ ...capture, cut })).slice(1)
  );
  await splitEach(cuts.map(({ header, cut }) => [
    header.subarray(0, cut),
    concat([header.subarray(cut), utf8("payload")]),
  ]));
});

test("Bun: each captured header, one byte at a time", async () => {
  await splitEach(
    CAPTURES.map(({ header }) =>
      Array.from(
        concat([header, utf8("payload")]),
        (byte) => Uint8Array.of(byte),
      )
    ),
  );
});

/** Sends each series of pieces and expects `payload` to come back. */
async function splitEach(series: Uint8Array[][]): Promise<void> {
  await echoing(async (served) => {
    await forEach(series, async (pieces) => {
      const echoed = await exchange(served, pieces, 7);
      assertBytes(echoed, utf8("payload"));
    });
    assert.equal(served.stats.accepted, series.length);
  });
}

test("Bun: each captured header, glued to 1 MiB", async () => {
  const payload = pattern(MEBIBYTE);
  await echoing(async (served) => {
    for (const { header } of CAPTURES) {
      const glued = [concat([header, payload])];
      assertBytes(
        await exchange(served, glued, payload.length),
        payload,
      );
    }
  });
});

for (const binaryType of ["buffer", "uint8array", "arraybuffer"] as const) {
  test(`Bun: payload in the class of binaryType ${binaryType}`, async () => {
    const classes = new Set<string>();
    const native = binaryType === "buffer"
      ? "Buffer"
      : binaryType === "uint8array"
      ? "Uint8Array"
      : "ArrayBuffer";
    const handlers = echo();
    await serving(
      {
        ...handlers,
        binaryType,
        data(socket, payload) {
          classes.add(payload.constructor.name);
          handlers.data?.(socket, payload);
        },
      },
      async ({ port }) => {
        const payload = pattern(300_000);
        using client = await Client.dial(port);
        await client.send(concat([HEADER, payload]));
        assertBytes(await client.receive(payload.length), payload);
        assert.deepEqual([...classes], [native]);
      },
    );
  });

  test(`Bun: an optional header that is not there keeps binaryType ${binaryType}`, async () => {
    const payloads = new Queue<Uint8Array>();
    const classes = new Set<string>();
    await serving(
      {
        binaryType,
        data(_socket, payload) {
          classes.add(payload.constructor.name);
          payloads.add(toBytes(payload));
        },
      },
      async ({ port, arrival, stats }) => {
        using client = await Client.dial(port);
        await client.send("PR");
        await arrival(client);
        await client.send("IVATE");
        assert.equal(text(await payloads.next("payload")), "PR");
        assert.equal(text(await payloads.next("payload")), "IVATE");
        assert.equal(classes.size, 1);
        assert.equal(stats.direct, 1);
      },
      { header: "optional" },
    );
  });
}

function text(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

test("Bun: the socket shows the client, keeps its data, and tells the hop", async () => {
  const opened = new Queue<Socket>();
  await serving(
    { open: (socket) => opened.add(socket) },
    async ({ port }) => {
      using client = await Client.dial(port);
      await client.send(HEADER);
      const socket = await opened.next("open");
      assert.deepEqual(shown(socket), SHOWN);
      assert.deepEqual(socket.data, { mine: true });
      assert.equal(proxyInfo(socket)?.family, "INET");
      assert.deepEqual(proxyHop(socket), {
        transport: "tcp",
        hostname: "127.0.0.1",
        port: client.port,
      });
    },
    {},
    { data: { mine: true } },
  );
});

test("Bun: what is sent under backpressure comes whole", async () => {
  const payload = pattern(8 * MEBIBYTE);
  let isPartial = false;
  const write = (socket: Socket, from: number) => {
    const written = socket.write(payload.subarray(from));
    isPartial ||= written < payload.length - from;
    const next = from + Math.max(written, 0);
    sent.set(socket, next);
    if (next === payload.length) socket.end();
  };
  const sent = new WeakMap<Socket, number>();
  await serving(
    {
      open: (socket) => write(socket, 0),
      drain: (socket) => write(socket, sent.get(socket) ?? 0),
    },
    async ({ port }) => {
      using client = await Client.dial(port);
      client.stream.pause();
      await client.send(HEADER);
      client.stream.resume();
      assertBytes(await client.receive(payload.length), payload);
      assert(isPartial);
    },
  );
});

test("Bun: pause() in open holds back what came with the header", async () => {
  const log = new Queue<string>();
  const paused = new Queue<Socket>();
  await serving(
    {
      open(socket) {
        socket.pause();
        paused.add(socket);
        log.add("open");
      },
      data: (socket, payload) => {
        log.add(text(toBytes(payload)));
        socket.pause();
        queueMicrotask(() => paused.add(socket));
      },
    },
    async ({ port }) => {
      using client = await Client.dial(port);
      await client.send(concat([HEADER, utf8("first")]));
      const socket = await paused.next("open");
      assert.equal(await log.next("open"), "open");
      await client.send("second");
      using other = await Client.dial(port); // whose turn comes after the loop's
      await other.send(HEADER);
      const otherSocket = await paused.next("open of another");
      assert.equal(await log.next("open of another"), "open");
      assert.equal(log.size, 0);
      socket.resume();
      assert.equal(log.size, 0);
      assert.equal(await log.next("data"), "first");
      assert.equal((await paused.next("pause")) === socket, true);
      otherSocket.resume();
      socket.resume();
      assert.equal(await log.next("data"), "second");
    },
  );
});

test("Bun: drain is told while what came with the header is held back", async () => {
  const greeting = pattern(8 * MEBIBYTE);
  const received = Promise.withResolvers<string>();
  const sent = new WeakMap<Socket, number>();
  const write = (socket: Socket) => {
    const from = sent.get(socket) ?? 0;
    const next = from + Math.max(socket.write(greeting.subarray(from)), 0);
    sent.set(socket, next);
    if (next === greeting.length) socket.resume();
  };
  await serving(
    {
      open(socket) {
        socket.pause();
        write(socket);
        assert((sent.get(socket) ?? 0) < greeting.length);
      },
      drain: write,
      data: (_socket, payload) => received.resolve(text(toBytes(payload))),
    },
    async ({ port }) => {
      using client = await Client.dial(port);
      await client.send(concat([HEADER, utf8("payload")]));
      assertBytes(await client.receive(greeting.length), greeting);
      assert.equal(await within(received.promise, "data"), "payload");
    },
  );
});

test("Bun: who closes in open hears no data", async () => {
  for (const close of ["end", "terminate"] as const) {
    const log: string[] = [];
    const closed = Promise.withResolvers<void>();
    await serving(
      {
        open(socket) {
          log.push("open");
          socket[close]();
        },
        data: () => log.push("data"),
        close() {
          log.push("close");
          closed.resolve();
        },
      },
      async ({ port }) => {
        using client = await Client.dial(port);
        await client.send(concat([HEADER, utf8("payload")]));
        await within(closed.promise, "close");
        await client.receiveAll();
        assert.deepEqual(log, ["open", "close"]);
      },
    );
  }
});
