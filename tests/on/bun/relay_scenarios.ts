/** Relays between two ends of their own; run by `bun test`. */

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import {
  type AddressInfo,
  createServer,
  type Server,
  type Socket,
} from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { createServer as createTlsServer } from "node:tls";
import {
  type BunRelayTarget,
  relay,
  type RelayOptions,
  type RelayResult,
  upgradeTls,
} from "../../../conn/bun.ts";
import { decode, encode } from "../../../mod.ts";
import { CAPTURES } from "../../_captures.ts";
import type { ListenOptions, Socket as BunSocket } from "./_bun.ts";
import {
  assertBytes,
  Client,
  concat,
  gluedTo,
  KEY_PAIR,
  pattern,
  Queue,
  utf8,
} from "./_client.ts";
import { filesAtRest, untilFiles } from "./_files.ts";
import {
  echo,
  type Handlers,
  HEADER,
  type Options,
  type Served,
  serving,
} from "./_kit.ts";

const MEBIBYTE = 1024 * 1024;

/** A v2 header as the specification has it: TCP4, 192.0.2.1:1111 to 198.51.100.1:2222. */
const V2 = Uint8Array.fromHex(
  "0d0a0d0a000d0a515549540a" + "2111000c" + "c0000201c6336401045708ae",
);

const V1 = utf8("PROXY TCP4 192.0.2.1 198.51.100.1 1111 2222\r\n");

/** What a server under test is dialled by. */
interface Backend extends AsyncDisposable {
  target: BunRelayTarget;
  /** Its ends of the connections. */
  peers: Queue<Client>;
}

async function backend(
  make: (onSocket: (socket: Socket) => void) => Server,
  at: string | 0 = 0,
  target: Partial<BunRelayTarget> = {},
): Promise<Backend> {
  const peers = new Queue<Client>();
  const open = new Set<Socket>();
  const server = make((socket) => {
    open.add(socket);
    peers.add(new Client(socket));
  });
  const { promise, resolve } = Promise.withResolvers<void>();
  if (at === 0) server.listen(0, "127.0.0.1", resolve);
  else server.listen(at, resolve);
  await promise;
  const { port } = server.address() as AddressInfo;
  return {
    peers,
    target: at === 0
      ? { hostname: "127.0.0.1", port, ...target }
      : { unix: at, ...target },
    async [Symbol.asyncDispose]() {
      for (const socket of open) socket.destroy();
      const { promise, resolve } = Promise.withResolvers<void>();
      server.close(() => resolve());
      await promise;
    },
  };
}

const plain = (onSocket: (socket: Socket) => void) =>
  createServer({ allowHalfOpen: true }, onSocket);

/** A relay under test, with what its calls give. */
interface Relayed extends Served {
  peers: Queue<Client>;
  results: Queue<RelayResult>;
  /** A client that ends its directions one by one. */
  dial(first?: Uint8Array): Promise<Client>;
}

interface Setup {
  back?: Backend;
  target?: BunRelayTarget;
  options?: RelayOptions;
  handlers?: Handlers;
  accepting?: Options;
  listening?: Partial<ListenOptions>;
}

async function relaying(
  work: (relayed: Relayed) => Promise<void>,
  { target, options, handlers, accepting, listening, ...given }: Setup = {},
): Promise<void> {
  await using own = await backend(plain);
  const back = given.back ?? own;
  const results = new Queue<RelayResult>();
  await serving(
    {
      open(socket) {
        relay(socket, target ?? back.target, options).then((result) =>
          results.add(result)
        );
      },
      ...handlers,
    },
    (served) =>
      work({
        ...served,
        results,
        peers: back.peers,
        async dial(first) {
          const { port } = served;
          const client = await Client.dial({
            port,
            host: "127.0.0.1",
            allowHalfOpen: true,
          });
          if (first !== undefined) await client.send(first);
          return client;
        },
      }),
    accepting,
    { allowHalfOpen: true, ...listening },
  );
}

test("Bun: relay() copies both ways, passes ends on and counts", async () => {
  await relaying(async ({ dial, peers, results }) => {
    using client = await dial(concat([HEADER, utf8("question")]));
    using peer = await peers.next("a target");
    client.end();
    assertBytes(await peer.receiveAll(), utf8("question"));
    await peer.send("late answer");
    peer.end();
    assertBytes(await client.receiveAll(), utf8("late answer"));
    assert.deepEqual(await results.next("the result"), {
      sent: 8,
      received: 11,
    });
  });
});

test("Bun: relay() goes on towards a target that has ended its direction", async () => {
  await relaying(async ({ dial, peers, results }) => {
    using client = await dial(HEADER);
    using peer = await peers.next("a target");
    await peer.send("greeting");
    peer.end();
    assertBytes(await client.receiveAll(), utf8("greeting"));
    await client.send("late");
    await peer.receive(4);
    await client.send(" question");
    client.end();
    assertBytes(await peer.receiveAll(), utf8("late question"));
    assert.deepEqual(await results.next("the result"), {
      sent: 13,
      received: 8,
    });
  });
});

test("Bun: relay() with all in one piece, to a listener without half-open connections", async () => {
  await relaying(async ({ dial, peers, results }) => {
    const payload = pattern(100_000);
    using client = await dial();
    client.stream.end(concat([HEADER, payload]));
    using peer = await peers.next("a target");
    assertBytes(await peer.receiveAll(), concat([V2, payload]));
    peer.end();
    await client.receiveAll();
    const { sent, error } = await results.next("the result");
    assert.deepEqual([sent, error], [payload.length, undefined]);
  }, { options: { send: 2 }, listening: { allowHalfOpen: false } });
});

test("Bun: relay() one byte at a time", async () => {
  await relaying(async ({ dial, peers, results }) => {
    using client = await dial();
    const bytes = concat([HEADER, utf8("question")]);
    for (const byte of bytes) await client.send(Uint8Array.of(byte));
    using peer = await peers.next("a target");
    const expected = concat([V1, utf8("question")]);
    assertBytes(await peer.receive(expected.length), expected);
    for (const byte of utf8("answer")) await peer.send(Uint8Array.of(byte));
    assertBytes(await client.receive(6), utf8("answer"));
    client.end();
    await peer.receiveAll();
    peer.end();
    const result = await results.next("the result");
    assert.deepEqual(result, { sent: 8, received: 6 });
  }, { options: { send: 1 } });
});

test("Bun: relay() copies 8 MiB both ways at once, to the last byte", async () => {
  await relaying(async ({ dial, peers, results }) => {
    const [up, down] = [pattern(8 * MEBIBYTE), pattern(8 * MEBIBYTE).reverse()];
    using client = await dial(HEADER);
    using peer = await peers.next("a target");
    client.stream.end(up);
    peer.stream.end(down);
    assertBytes(await peer.receiveAll(), up);
    assertBytes(await client.receiveAll(), down);
    assert.deepEqual(await results.next("the result"), {
      sent: up.length,
      received: down.length,
    });
  });
});

/** The header that a target gets of a client. */
async function relayed(
  header: Uint8Array,
  options: RelayOptions,
  accepting: Options = {},
): Promise<Uint8Array> {
  let received: Uint8Array = new Uint8Array();
  await relaying(async ({ dial, peers, results }) => {
    using client = await dial(header);
    using peer = await peers.next("a target");
    client.end();
    received = await peer.receiveAll();
    peer.end();
    const result = await results.next("the result");
    assert.deepEqual(result, { sent: 0, received: 0 });
  }, { options, accepting });
  return received;
}

test("Bun: relay() sends what real proxies have sent, with its TLVs", async () => {
  let count = 0;
  for (const { id, header } of CAPTURES) {
    const info = decode(header, { mixedTcp6: true });
    if (info?.version !== 2 || info.source === undefined) continue;
    assert.deepEqual(await relayed(header, { send: 2 }), header, id);
    count++;
  }
  assert(count > 0);
});

test("Bun: relay() sends either version, LOCAL and the address of a direct client", async () => {
  assertBytes(await relayed(HEADER, { send: 2 }), V2);
  assertBytes(await relayed(HEADER, { send: 1 }), V1);
  assertBytes(await relayed(HEADER, {}), new Uint8Array());
  const unknown = utf8("PROXY UNKNOWN\r\n");
  assertBytes(await relayed(unknown, { send: 1 }), unknown);
  const local = encode({ command: "LOCAL" });
  assertBytes(await relayed(unknown, { send: 2 }), local);
  const header = await relayed(HEADER, { send: 2 }, { header: "discard" });
  const source = decode(header)?.source;
  assert(source !== undefined && "hostname" in source);
  assert.equal(source.hostname, "127.0.0.1");
});

test("Bun: relay() drops and adds TLVs, with a checksum and a unique id", async () => {
  const rich = encode({
    source: { transport: "tcp", hostname: "192.0.2.1", port: 1111 },
    destination: { transport: "tcp", hostname: "198.51.100.1", port: 2222 },
    tlvs: { ALPN: "h2", AUTHORITY: "a.example" },
  });
  const tlvs = decode(
    await relayed(rich, {
      send: 2,
      drop: ["ALPN"],
      add: { NETNS: "blue" },
      uniqueId: true,
      checksum: true,
    }),
  )?.tlvs;
  assert.equal(tlvs?.ALPN, undefined);
  assert.equal(tlvs?.AUTHORITY, "a.example");
  assert.equal(tlvs?.NETNS, "blue");
  assert.equal(tlvs?.UNIQUE_ID?.length, 36);
  assert(tlvs?.CRC32C !== undefined);
  const ignored = await relayed(rich, { send: 2 }, { header: "discard" });
  assert.deepEqual(decode(ignored)?.tlvs, {});
});

/** Waits until a writer's own buffer shrinks no more; how much the other side has taken. */
async function stall({ stream }: Client, length: number): Promise<number> {
  let still = 0;
  for (let last = -1; still < 200;) {
    await setImmediate();
    const now = stream.writableLength;
    still = now === last ? still + 1 : 0;
    last = now;
  }
  return length - stream.writableLength;
}

test("Bun: relay() takes no more than a slow end does, whichever that is", async () => {
  const payload = pattern(64 * MEBIBYTE);
  for (const isUp of [true, false]) {
    await relaying(async ({ dial, peers, results }) => {
      using client = await dial(HEADER);
      using peer = await peers.next("a target");
      const [from, to] = isUp ? [client, peer] : [peer, client];
      to.stream.pause();
      from.stream.end(payload);
      const before = process.memoryUsage().rss;
      const taken = await stall(from, payload.length);
      const grown = process.memoryUsage().rss - before;
      assert(taken < payload.length / 2, `${taken} bytes`);
      assert(grown < 16 * MEBIBYTE, `${grown} bytes more`);
      // The other direction is not held up.
      await to.send("meanwhile");
      assertBytes(await from.receive(9), utf8("meanwhile"));
      to.stream.resume();
      to.end();
      assertBytes(await to.receiveAll(), payload);
      const { sent, received, error } = await results.next("the result");
      assert.deepEqual(
        [sent, received, error],
        isUp ? [payload.length, 9, undefined] : [9, payload.length, undefined],
      );
    });
  }
});

test("Bun: relay() closes both ends when either is reset", async () => {
  for (const isClient of [true, false]) {
    await relaying(async ({ dial, peers, results }) => {
      using client = await dial(concat([HEADER, utf8("x")]));
      using peer = await peers.next("a target");
      await peer.receive(1);
      (isClient ? client : peer).reset();
      await (isClient ? peer : client).receiveAll();
      const { error } = await results.next("the result");
      assert(error instanceof Error && "code" in error);
      assert.equal(error.code, "ECONNRESET");
    });
  }
});

test("Bun: relay() closes the client of a target that cannot be reached", async () => {
  const gone = await backend(plain);
  await gone[Symbol.asyncDispose]();
  for (
    const [target, code] of [
      [gone.target, "ECONNREFUSED"],
      [{ unix: join(tmpdir(), "nobody", "listens") }, "ENOENT"],
    ] as const
  ) {
    await relaying(async ({ dial, results }) => {
      using client = await dial(concat([HEADER, utf8("x")]));
      await client.receiveAll();
      const { sent, error } = await results.next("the result");
      assert(error instanceof Error && "code" in error);
      assert.deepEqual([sent, error.code], [0, code]);
    }, { target });
  }
});

test("Bun: relay() ends by its signal, before, while and after it connects", async () => {
  for (const when of ["before", "while", "after"]) {
    const controller = new AbortController();
    const { signal } = controller;
    const results = new Queue<RelayResult>();
    await using back = await backend(plain);
    if (when === "before") controller.abort();
    await relaying(async ({ dial, peers }) => {
      using client = await dial(concat([HEADER, utf8("x")]));
      if (when === "after") {
        using peer = await peers.next("a target");
        await peer.receive(1);
        controller.abort();
        await peer.receiveAll();
      }
      await client.receiveAll();
      const { sent, error } = await results.next("the result");
      assert(error instanceof Error && "code" in error);
      assert.deepEqual(
        [sent, error.code],
        [when === "after" ? 1 : 0, "aborted"],
      );
      if (when === "while") {
        using late = await peers.next("a target that comes too late");
        assert.equal((await late.receiveAll()).length, 0);
      }
    }, {
      back,
      handlers: {
        open(socket) {
          relay(socket as BunSocket, back.target, { signal }).then(
            (result) => results.add(result),
          );
          if (when === "while") controller.abort();
        },
      },
    });
  }
});

/** A target that accepts, and never speaks TLS. */
const SILENT = { tls: true };

test("Bun: relay() ends when the client is reset while the target is not there yet", async () => {
  await using back = await backend(plain, 0, SILENT);
  await relaying(async ({ dial, peers, results }) => {
    using client = await dial(concat([HEADER, utf8("x")]));
    using peer = await peers.next("a target");
    client.reset();
    await peer.receiveAll();
    const { sent, error } = await results.next("the result");
    assert(error instanceof Error);
    assert.equal(sent, 0);
  }, { back });
});

test("Bun: relay() ends when the target leaves before TLS is established", async () => {
  for (const isReset of [false, true]) {
    await using back = await backend(plain, 0, SILENT);
    await relaying(async ({ dial, peers, results }) => {
      using client = await dial(concat([HEADER, utf8("x")]));
      using peer = await peers.next("a target");
      if (isReset) peer.reset();
      else peer.end();
      await client.receiveAll();
      const { sent, error } = await results.next("the result");
      assert(error instanceof Error);
      assert.equal(sent, 0);
    }, { back });
  }
});

test("Bun: relay() keeps little for a target that is not there yet", async () => {
  await using back = await backend(plain, 0, SILENT);
  const payload = pattern(32 * MEBIBYTE);
  const controller = new AbortController();
  await relaying(async ({ dial, peers, results }) => {
    using client = await dial(HEADER);
    using _peer = await peers.next("a target");
    client.stream.end(payload);
    const taken = await stall(client, payload.length);
    assert(taken < payload.length / 2, `${taken} bytes`);
    controller.abort();
    await client.receiveAll();
    assert.equal((await results.next("the result")).sent, 0);
  }, { back, options: { signal: controller.signal } });
});

test("Bun: relay() passes on what a client left that has gone before its target was there", async () => {
  await relaying(async ({ dial, peers, results }) => {
    using client = await dial(concat([HEADER, utf8("last words")]));
    client.end();
    using peer = await peers.next("a target");
    assertBytes(await peer.receiveAll(), utf8("last words"));
    peer.end();
    const { sent, error } = await results.next("the result");
    assert.deepEqual([sent, error], [10, undefined]);
  }, {
    listening: { allowHalfOpen: false },
    // Asked late: all is there before anybody hears of it.
    accepting: {
      async verify() {
        for (let i = 0; i < 50; i++) await setImmediate();
        return true;
      },
    },
  });
});

test("Bun: relay() may be called later for a socket that was paused", async () => {
  const results = new Queue<RelayResult>();
  await using back = await backend(plain);
  for (const glued of ["", "question"]) {
    await relaying(async ({ dial, peers }) => {
      using client = await dial(concat([HEADER, utf8(glued)]));
      await client.send("more");
      client.end();
      using peer = await peers.next("a target");
      const expected = concat([V2, utf8(`${glued}more`)]);
      assertBytes(await peer.receiveAll(), expected);
      peer.end();
      const { sent } = await results.next("the result");
      assert.equal(sent, glued.length + 4);
    }, {
      back,
      handlers: {
        async open(socket) {
          socket.pause();
          for (let i = 0; i < 50; i++) await setImmediate();
          const stream = socket as BunSocket;
          results.add(await relay(stream, back.target, { send: 2 }));
        },
      },
    });
  }
});

test("Bun: relay() of a connection that is closed or reset by then ends at once", async () => {
  const results = new Queue<RelayResult>();
  await using back = await backend(plain);
  for (const isReset of [false, true]) {
    const closed = Promise.withResolvers<void>();
    await relaying(async ({ dial }) => {
      using client = await dial(HEADER);
      if (isReset) {
        await client.receive(2);
        client.reset();
      } else client.end();
      const result = await results.next("the result");
      assert.equal(result.error !== undefined, isReset);
    }, {
      back,
      listening: { allowHalfOpen: false },
      handlers: {
        async open(socket: BunSocket) {
          socket.write("hi");
          await closed.promise;
          back.peers.next("a target").then((peer) => peer.end(), () => {});
          results.add(await relay(socket, back.target));
        },
        close: () => closed.resolve(),
      },
    });
  }
});

test("Bun: relay() passes on an end that was told before", async () => {
  const ended = Promise.withResolvers<void>();
  await using back = await backend(plain);
  const results = new Queue<RelayResult>();
  await relaying(async ({ dial, peers }) => {
    using client = await dial(HEADER);
    client.end();
    using peer = await peers.next("a target");
    assert.equal((await peer.receiveAll()).length, 0);
    await peer.send("answer");
    peer.end();
    assertBytes(await client.receiveAll(), utf8("answer"));
    assert.deepEqual(await results.next("the result"), {
      sent: 0,
      received: 6,
    });
  }, {
    back,
    handlers: {
      async open(socket: BunSocket) {
        await ended.promise;
        results.add(await relay(socket, back.target));
      },
      end: () => ended.resolve(),
    },
  });
});

test("Bun: relay() waits for no answer in TLS when it is to close", async () => {
  // The application knows of a direct peer before its handshake.
  for (const untrusted of ["reject", "direct"] as const) {
    const accepting = untrusted === "direct" ? { trust: [], untrusted } : {};
    const header = untrusted === "direct" ? new Uint8Array() : HEADER;
    const controller = new AbortController();
    await relaying(async ({ port, peers, results }) => {
      using raw = await Client.dial(port);
      const stream = gluedTo(new Uint8Array(), raw.stream);
      using client = await Client.dialTls(stream);
      await client.send(concat([header, utf8("x")]));
      using peer = await peers.next("a target");
      await peer.receive(1);
      raw.stream.pause(); // it does not see that it is to end
      controller.abort();
      const { error } = await results.next("the result");
      assert(error instanceof Error);
    }, {
      accepting,
      options: { signal: controller.signal },
      listening: { tls: KEY_PAIR },
    });
  }
});

test("Bun: relay() closes a half-open pair after halfOpenTimeout", async () => {
  for (const halfOpenTimeout of [0, 20]) {
    await relaying(async ({ dial, peers, results }) => {
      using client = await dial(HEADER);
      using peer = await peers.next("a target");
      client.end();
      assert.deepEqual(await results.next("the result"), {
        sent: 0,
        received: 0,
      });
      await peer.receiveAll();
      await client.receiveAll();
    }, { options: { halfOpenTimeout } });
  }
});

test("Bun: relay() refuses wrong options and sockets, and closes them", async () => {
  const errors = new Queue<unknown>();
  await using back = await backend(plain);
  for (
    const [options, type] of [
      [{ send: 2, keep: ["NONSENSE"] }, TypeError],
      [{ send: 2, drop: ["SSL_CN"] }, TypeError],
      [{ send: 2, add: { UNIQUE_ID: new Uint8Array(129) } }, RangeError],
      [{ halfOpenTimeout: -1 }, RangeError],
      [{ halfOpenTimeout: NaN }, RangeError],
      [JSON.parse('{ "send": 3 }'), TypeError],
    ] as const
  ) {
    await relaying(async ({ dial }) => {
      using client = await dial(HEADER);
      assert(await errors.next("a refusal") instanceof type);
      await client.receiveAll();
    }, {
      handlers: {
        open: (socket: BunSocket) =>
          relay(socket, back.target, options).catch((e) => errors.add(e)),
      },
    });
  }
  await relaying(async ({ dial }) => {
    using client = await dial(HEADER);
    assert(await errors.next("a refusal") instanceof TypeError);
    await client.receiveAll();
  }, {
    handlers: {
      open(socket: BunSocket) {
        const tls = upgradeTls(socket, {
          tls: KEY_PAIR,
          socket: { data() {} },
        });
        if (tls === undefined) throw new Error("Closed");
        relay(tls, back.target).catch((error) => errors.add(error));
      },
    },
  });
  assert.equal(back.peers.size, 0);
});

test("Bun: relay() refuses a socket that is relayed already, and closes it", async () => {
  await using back = await backend(plain);
  const results = new Queue<unknown>();
  await relaying(async ({ dial }) => {
    using client = await dial(HEADER);
    const second = await results.next("a refusal");
    assert(second instanceof TypeError);
    await client.receiveAll();
    assert.deepEqual(await results.next("the result"), {
      sent: 0,
      received: 0,
    });
  }, {
    handlers: {
      async open(socket: BunSocket) {
        const first = relay(socket, back.target);
        await relay(socket, back.target).catch((error) => results.add(error));
        results.add(await first);
      },
    },
  });
});

test("Bun: relay() says that a header is too long to be sent", async () => {
  const value = new Uint8Array(65_000);
  const add = [{ type: 0xe0, value }, { type: 0xe1, value }];
  await relaying(async ({ dial, results }) => {
    using client = await dial(HEADER);
    await client.receiveAll();
    const { error } = await results.next("the result");
    assert(error instanceof RangeError);
  }, { options: { send: 2, add } });
});

const tlsBackend = (target: BunRelayTarget["tls"]) =>
  backend(
    (onSocket) =>
      createTlsServer({ ...KEY_PAIR, allowHalfOpen: true }, onSocket)
        .on("tlsClientError", () => {}),
    0,
    { tls: target ?? false },
  );

test("Bun: relay() from TLS to TLS, with the header inside", async () => {
  await using back = await tlsBackend({
    ca: KEY_PAIR.cert,
    serverName: "localhost",
  });
  const [up, down] = [pattern(MEBIBYTE), pattern(MEBIBYTE).reverse()];
  await relaying(async ({ port, peers, results }) => {
    using client = await Client.dialTls(port);
    await client.send(concat([HEADER, up]));
    using peer = await peers.next("a target");
    const expected = concat([V2, up]);
    assertBytes(await peer.receive(expected.length), expected);
    peer.stream.end(down);
    assertBytes(await client.receiveAll(), down);
    client.end();
    assert.deepEqual(await results.next("the result"), {
      sent: up.length,
      received: down.length,
    });
  }, { back, options: { send: 2 }, listening: { tls: KEY_PAIR } });
});

test("Bun: relay() tells nothing to a target that is not who it should be", async () => {
  for (
    const tls of [true, { ca: KEY_PAIR.cert, serverName: "other.example" }]
  ) {
    await using back = await tlsBackend(tls);
    await relaying(async ({ dial, peers, results }) => {
      using client = await dial(concat([HEADER, utf8("secret")]));
      await client.receiveAll();
      const { sent, error } = await results.next("the result");
      assert(error instanceof Error);
      assert.equal(sent, 0);
      if (peers.size > 0) {
        using peer = await peers.next("a target");
        assert.equal((await peer.receiveAll()).length, 0);
      }
    }, { back, options: { send: 2 } });
  }
});

test("Bun: relay() to a UNIX socket", async () => {
  const folder = mkdtempSync(join(tmpdir(), "relay-"));
  try {
    await using back = await backend(plain, join(folder, "socket"));
    await relaying(async ({ dial, peers }) => {
      using client = await dial(concat([HEADER, utf8("question")]));
      using peer = await peers.next("a target");
      const expected = concat([V2, utf8("question")]);
      assertBytes(await peer.receive(expected.length), expected);
      await peer.send("answer");
      assertBytes(await client.receive(6), utf8("answer"));
    }, { back, options: { send: 2 } });
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("Bun: relay() takes payload of each class", async () => {
  for (const binaryType of ["buffer", "uint8array", "arraybuffer"] as const) {
    await relaying(async ({ dial, peers }) => {
      using client = await dial(concat([HEADER, utf8("question")]));
      using peer = await peers.next("a target");
      await peer.receive(8);
      await client.send(" and more");
      assertBytes(await peer.receive(17), utf8("question and more"));
    }, { handlers: { binaryType } });
  }
});

test("Bun: relay() leaves the other connections of the listener alone", async () => {
  await using back = await backend(plain);
  const { open, ...others } = echo();
  let count = 0;
  await relaying(async ({ dial, peers }) => {
    using relayedOne = await dial(HEADER);
    using peer = await peers.next("a target");
    using echoed = await dial(concat([HEADER, utf8("echo")]));
    assertBytes(await echoed.receive(4), utf8("echo"));
    await peer.send("hello");
    assertBytes(await relayedOne.receive(5), utf8("hello"));
  }, {
    back,
    handlers: {
      ...others,
      open(socket: BunSocket, info) {
        if (count++ === 0) relay(socket, back.target);
        else open?.(socket, info);
      },
    },
  });
});

test("Bun: relay() leaves no descriptor behind", async () => {
  await relaying(async ({ dial, peers, results }) => {
    const talk = async (i: number) => {
      using client = await dial(concat([HEADER, utf8("question")]));
      using peer = await peers.next("a target");
      await peer.receive(8);
      if (i % 3 === 0) client.reset();
      else if (i % 3 === 1) peer.reset();
      else client.end();
      await peer.receiveAll();
      peer.end();
      await results.next("the result");
    };
    for (let i = 0; i < 3; i++) await talk(i);
    const before = await filesAtRest();
    for (let i = 0; i < 300; i++) await talk(i);
    await untilFiles(before);
  });
});
