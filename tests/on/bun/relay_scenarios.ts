/** Relays between two ends of their own; run by `bun test`. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import {
  type BunRelayTarget,
  relay,
  type RelayOptions,
  type RelayResult,
  upgradeTls,
} from "../../../conn/bun.ts";
import { type Backend, backend, type Target } from "../_relay_kit.ts";
import { runRelayScenarios } from "../_relay_scenarios.ts";
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
import {
  echo,
  type Handlers,
  HEADER,
  type Options,
  type Served,
  serving,
  TRUST,
} from "./_kit.ts";

/** A v2 header as the specification has it: TCP4, 192.0.2.1:1111 to 198.51.100.1:2222. */
const V2 = Uint8Array.fromHex(
  "0d0a0d0a000d0a515549540a" + "2111000c" + "c0000201c6336401045708ae",
);

/** A target in the words of Bun. */
function toBun({ port = 0, path, tls }: Target): BunRelayTarget {
  const { name, ...others } = tls ?? {};
  const secure = { ...others, ...(name !== undefined && { serverName: name }) };
  return {
    ...(path === undefined ? { hostname: "127.0.0.1", port } : { unix: path }),
    ...(tls && { tls: secure }),
  };
}

runRelayScenarios({
  name: "Bun",
  listen({ accepting, isTls, target, options, times, ...hooks }) {
    const { verify, ...others } = accepting;
    const { promise, resolve } = Promise.withResolvers<void>();
    const listening = Promise.withResolvers<{ port: number; close(): void }>();
    serving(
      {
        open(socket) {
          for (let i = 0; i < times; i++) {
            relay(socket, toBun(target()), options)
              .then(hooks.onResult, hooks.onThrown);
            hooks.onCall();
          }
        },
      },
      ({ port }) => {
        listening.resolve({ port, close: resolve });
        return promise;
      },
      { trust: TRUST, ...others, ...(verify && { verify: () => verify() }) },
      { allowHalfOpen: true, ...(isTls && { tls: KEY_PAIR }) },
    ).catch(listening.reject);
    return listening.promise;
  },
});

/** A relay under test, with what its calls give. */
interface Relayed extends Served {
  peers: Queue<Client>;
  results: Queue<RelayResult>;
  /** A client that ends its directions one by one. */
  dial(first?: Uint8Array): Promise<Client>;
}

interface Setup {
  back?: Backend;
  options?: RelayOptions;
  handlers?: Handlers;
  accepting?: Options;
  listening?: Partial<ListenOptions>;
}

async function relaying(
  work: (relayed: Relayed) => Promise<void>,
  { options, handlers, accepting, listening, ...given }: Setup = {},
): Promise<void> {
  await using own = await backend();
  const back = given.back ?? own;
  const results = new Queue<RelayResult>();
  await serving(
    {
      open(socket) {
        relay(socket, toBun(back.target), options).then((result) =>
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

test("Bun: relay() may be called later for a socket that was paused", async () => {
  const results = new Queue<RelayResult>();
  await using back = await backend();
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
          results.add(await relay(socket, toBun(back.target), { send: 2 }));
        },
      },
    });
  }
});

test("Bun: relay() of a connection that is closed or reset by then ends at once", async () => {
  const results = new Queue<RelayResult>();
  await using back = await backend();
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
          results.add(await relay(socket, toBun(back.target)));
        },
        close: () => closed.resolve(),
      },
    });
  }
});

test("Bun: relay() passes on an end that was told before", async () => {
  const ended = Promise.withResolvers<void>();
  await using back = await backend();
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
        results.add(await relay(socket, toBun(back.target)));
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
  await using back = await backend();
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
        if (count++ === 0) relay(socket, toBun(back.target));
        else open?.(socket, info);
      },
    },
  });
});

test("Bun: relay() refuses a socket that proxied() has not opened, and closes it", async () => {
  const errors = new Queue<unknown>();
  await using back = await backend();
  await relaying(async ({ dial }) => {
    using client = await dial(HEADER);
    assert(await errors.next("a refusal") instanceof TypeError);
    await client.receiveAll();
  }, {
    back,
    handlers: {
      open(socket: BunSocket) {
        const tls = upgradeTls(socket, {
          tls: KEY_PAIR,
          socket: { data() {} },
        });
        if (tls === undefined) throw new Error("Closed");
        relay(tls, toBun(back.target)).catch((error) => errors.add(error));
      },
    },
  });
  assert.equal(back.peers.size, 0);
});
