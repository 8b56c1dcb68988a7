/** Relays between two ends of their own, the same on every runtime that has sockets. */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { createServer as createTlsServer, TLSSocket } from "node:tls";
import {
  decode,
  encode,
  ProxyProtocolError,
  type RelayOptions,
} from "../../mod.ts";
import {
  assertBytes,
  Client,
  concat,
  gluedTo,
  KEY_PAIR,
  pattern,
  Queue,
  utf8,
} from "./bun/_client.ts";
import { CAPTURES, closedPort } from "./node/_kit.ts";
import { filesAtRest, untilFiles } from "./bun/_files.ts";
import {
  backend,
  codeOf,
  endOf,
  plain,
  type Relayed,
  type RelayHost,
  relayingOn,
  type Setup,
  stall,
  tlsBackend,
  turns,
} from "./_relay_kit.ts";

const MEBIBYTE = 1024 * 1024;

/** A v2 header as the specification has it: TCP4, 192.0.2.1:1111 to 198.51.100.1:2222. */
const V2 = Uint8Array.from(
  Buffer.from(
    "0d0a0d0a000d0a515549540a" + "2111000c" + "c0000201c6336401045708ae",
    "hex",
  ),
);

/** The same as clients send it. */
const HEADER = V2;

const V1 = utf8("PROXY TCP4 192.0.2.1 198.51.100.1 1111 2222\r\n");

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");

/** A target that accepts, and never speaks TLS. */
const SILENT = { tls: {} };

/** Registers the scenarios. */
export function runRelayScenarios(host: RelayHost): void {
  const { name } = host;
  const relaying = (
    work: (relayed: Relayed) => Promise<void>,
    setup: Setup = {},
  ) => relayingOn(host, work, setup);
  const scenario = (what: string, work: () => Promise<void>) => {
    test(`${name}: relay() ${what}`, work);
  };

  scenario("copies both ways, passes ends on and counts", async () => {
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

  scenario(
    "goes on towards a target that has ended its direction",
    async () => {
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
    },
  );

  scenario("one byte at a time", async () => {
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

  scenario("copies 8 MiB both ways at once, to the last byte", async () => {
    await relaying(async ({ dial, peers, results }) => {
      const [up, down] = [
        pattern(8 * MEBIBYTE),
        pattern(8 * MEBIBYTE).reverse(),
      ];
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
  const relayed = async (
    header: Uint8Array,
    options: RelayOptions,
    accepting: Setup["accepting"] = {},
  ): Promise<Uint8Array> => {
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
  };

  scenario("sends what real proxies have sent, with its TLVs", async () => {
    let count = 0;
    for (const { id, header } of CAPTURES) {
      const info = decode(header, { mixedTcp6: true });
      if (info?.version !== 2 || info.source === undefined) continue;
      assert.equal(hex(await relayed(header, { send: 2 })), hex(header), id);
      count++;
    }
    assert(count > 0);
  });

  scenario(
    "sends either version, LOCAL and the address of a direct client",
    async () => {
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
    },
  );

  scenario("drops and adds TLVs, with a checksum and a unique id", async () => {
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

  scenario(
    "takes no more than a slow end does, whichever that is",
    async () => {
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
            isUp
              ? [payload.length, 9, undefined]
              : [9, payload.length, undefined],
          );
        });
      }
    },
  );

  scenario("passes a reset of either end on as a reset", async () => {
    for (const isClient of [true, false]) {
      await relaying(async ({ dial, peers, results }) => {
        using client = await dial(concat([HEADER, utf8("x")]));
        using peer = await peers.next("a target");
        await peer.receive(1);
        const end = endOf((isClient ? peer : client).stream);
        (isClient ? client : peer).reset();
        assert.equal(await end, "reset");
        const { error } = await results.next("the result");
        assert.equal(codeOf(error), "ECONNRESET");
      });
    }
  });

  scenario(
    "passes a reset on that a write has found, of an end that is paused too",
    async () => {
      const payload = pattern(32 * MEBIBYTE);
      for (const isPaused of [false, true]) {
        await relaying(async ({ dial, peers, results }) => {
          using client = await dial(HEADER);
          using peer = await peers.next("a target");
          if (isPaused) {
            peer.stream.pause();
            client.stream.write(payload);
            await stall(client, payload.length);
          }
          // The relay hears of these bytes first, and then writes to who is gone.
          peer.stream.write(utf8("x"));
          client.reset();
          const end = endOf(peer.stream);
          peer.stream.resume();
          assert.equal(await end, "reset");
          const { error } = await results.next("the result");
          assert.match(`${codeOf(error)}`, /^(ECONNRESET|EPIPE)$/);
        });
      }
    },
  );

  scenario("passes a reset on below TLS, from and to it", async () => {
    for (const side of ["client", "target"] as const) {
      for (const isTls of [true, false]) {
        if (isTls && host.hearsNoTlsResets) continue;
        await passesReset(side, isTls);
      }
    }
  });

  /** Resets a side, where either it or the other side has TLS. */
  const passesReset = async (side: "client" | "target", isTls: boolean) => {
    const isClientTls = isTls === (side === "client");
    const raws = new Queue<Client>();
    // TLS upon streams, so that the sockets below can be looked at.
    const ofTls = plain((raw) => {
      raws.add(new Client(raw));
      const stream = gluedTo(new Uint8Array(), raw);
      const options = { isServer: true, ...KEY_PAIR };
      new TLSSocket(stream, options).on("error", () => {}).resume();
    });
    const ofTcp = plain((raw) => raws.add(new Client(raw)));
    await using back = await backend(
      () => isClientTls ? ofTcp : ofTls,
      isClientTls ? {} : { tls: { ca: KEY_PAIR.cert, name: "localhost" } },
    );
    let sent = 0;
    await relaying(async ({ port, results }) => {
      const front = await Client.dial(port);
      const bytes = concat([HEADER, pattern(MEBIBYTE)]);
      if (isClientTls) {
        const stream = gluedTo(new Uint8Array(), front.stream);
        const client = await Client.dialTls(stream);
        await client.send(bytes);
      } else await front.send(bytes);
      const raw = await raws.next("a socket of the target");
      await raw.receive(MEBIBYTE / 2);
      const [near, far] = side === "client" ? [front, raw] : [raw, front];
      const end = endOf(far.stream);
      near.reset();
      assert.equal(await end, "reset");
      const result = await results.next("the result");
      assert(result.error instanceof Error);
      sent = result.sent;
    }, { back, isTls: isClientTls });
    assert(sent > 0);
  };

  scenario(
    "ends in order by its signal, and where no target can be reached",
    async () => {
      const stop = new AbortController();
      await relaying(async ({ dial, peers }) => {
        using client = await dial(concat([HEADER, utf8("x")]));
        using peer = await peers.next("a target");
        await peer.receive(1);
        const ends = Promise.all([endOf(client.stream), endOf(peer.stream)]);
        stop.abort();
        assert.deepEqual(await ends, ["end", "end"]);
      }, { options: { signal: stop.signal } });
      await using nobody = await closedPort();
      await relaying(async ({ dial }) => {
        using client = await dial(concat([HEADER, utf8("x")]));
        assert.equal(await endOf(client.stream), "end");
      }, { target: () => ({ port: nobody.port }) });
    },
  );

  scenario(
    "passes on what a client sent before its end, though it is reset by then",
    async () => {
      const raws = new Queue<Socket>();
      const secure = new Queue<Client>();
      const inTls = createTlsServer(
        KEY_PAIR,
        (tls) => secure.add(new Client(tls)),
      );
      await using back = await backend(
        () => createServer({ allowHalfOpen: true }, (raw) => raws.add(raw)),
        { tls: { ca: KEY_PAIR.cert, name: "localhost" } },
      );
      await relaying(async ({ dial, results }) => {
        using client = await dial(concat([HEADER, utf8("last words")]));
        client.end();
        const raw = await raws.next("a target that has not begun TLS");
        await turns();
        client.reset();
        await turns();
        inTls.emit("connection", raw);
        using peer = await secure.next("TLS");
        assertBytes(await peer.receiveAll(), utf8("last words"));
        peer.end();
        // Node and Deno do not notice a reset that comes after the end.
        assert.equal((await results.next("the result")).sent, 10);
      }, { back });
    },
  );

  scenario("closes the client of a target that cannot be reached", async () => {
    await using nobody = await closedPort();
    for (
      const [target, code] of [
        [{ port: nobody.port }, "ECONNREFUSED"],
        [{ path: join(tmpdir(), "nobody", "listens") }, "ENOENT"],
      ] as const
    ) {
      await relaying(async ({ dial, results }) => {
        using client = await dial(concat([HEADER, utf8("x")]));
        await client.receiveAll();
        const { sent, error } = await results.next("the result");
        assert(error instanceof Error && "code" in error);
        assert.deepEqual([sent, error.code], [0, code]);
      }, { target: () => target });
    }
  });

  scenario(
    "ends by its signal, before, while and after it connects",
    async () => {
      for (const when of ["before", "while", "after"]) {
        const controller = new AbortController();
        const { signal } = controller;
        if (when === "before") controller.abort();
        await relaying(async ({ dial, peers, results }) => {
          using client = await dial(concat([HEADER, utf8("x")]));
          if (when === "after") {
            using peer = await peers.next("a target");
            await peer.receive(1);
            controller.abort();
            await peer.receiveAll();
          }
          await client.receiveAll();
          const { sent, error } = await results.next("the result");
          assert.deepEqual(
            [sent, codeOf(error)],
            [when === "after" ? 1 : 0, "aborted"],
          );
        }, {
          options: { signal },
          onCall: () => when === "while" ? controller.abort() : undefined,
        });
      }
    },
  );

  scenario(
    "ends when the client is reset while the target is not there yet",
    async () => {
      await using back = await backend(plain, SILENT);
      await relaying(async ({ dial, peers, results }) => {
        using client = await dial(concat([HEADER, utf8("x")]));
        using peer = await peers.next("a target");
        client.reset();
        await peer.receiveAll();
        const { sent, error } = await results.next("the result");
        assert(error instanceof Error);
        assert.equal(sent, 0);
      }, { back });
    },
  );

  scenario(
    "ends when the target leaves before TLS is established",
    async () => {
      for (const isReset of [false, true]) {
        await using back = await backend(plain, SILENT);
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
    },
  );

  scenario("keeps little for a target that is not there yet", async () => {
    await using back = await backend(plain, SILENT);
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

  scenario(
    "passes on what a client left that has gone before its target was there",
    async () => {
      await relaying(async ({ dial, peers, results }) => {
        using client = await dial(concat([HEADER, utf8("last words")]));
        client.end();
        using peer = await peers.next("a target");
        assertBytes(await peer.receiveAll(), utf8("last words"));
        peer.end();
        const { sent, error } = await results.next("the result");
        assert.deepEqual([sent, error], [10, undefined]);
      }, {
        // Asked late: all is there before anybody hears of it.
        accepting: {
          async verify() {
            await turns();
            return true;
          },
        },
      });
    },
  );

  scenario(
    "of a lazy socket waits for its header if it is to send one",
    async () => {
      const lazy = { accepting: { lazy: true } } as const;
      await relaying(async ({ dial, peers, results }) => {
        using client = await dial(HEADER.subarray(0, 9));
        using peer = await peers.next("a target");
        await peer.send("greeting");
        assertBytes(await client.receive(8), utf8("greeting"));
        await client.send(concat([HEADER.subarray(9), utf8("question")]));
        assertBytes(await peer.receive(8), utf8("question"));
        client.end();
        peer.end();
        assert.deepEqual(await results.next("the result"), {
          sent: 8,
          received: 8,
        });
      }, lazy);
      await relaying(async ({ dial, peers, results }) => {
        using client = await dial(HEADER.subarray(0, 9));
        await turns();
        assert.equal(peers.size, 0);
        await client.send(concat([HEADER.subarray(9), utf8("question")]));
        using peer = await peers.next("a target");
        const expected = concat([V2, utf8("question")]);
        assertBytes(await peer.receive(expected.length), expected);
        peer.end();
        client.end();
        assert.equal((await results.next("the result")).sent, 8);
      }, { ...lazy, options: { send: 2 } });
    },
  );

  scenario("of a lazy socket says why its header was rejected", async () => {
    for (const options of [{}, { send: 2 }] as const) {
      await relaying(async ({ dial, peers, results }) => {
        using client = await dial("GET / HTTP/1.1\r\n\r\n");
        const { sent, error } = await results.next("the result");
        assert.equal(sent, 0);
        assert(error instanceof ProxyProtocolError);
        assert.equal(error.code, "signature");
        await client.receiveAll();
        if (peers.size > 0) {
          using peer = await peers.next("a target");
          assert.equal((await peer.receiveAll()).length, 0);
        }
      }, { accepting: { lazy: true }, options });
    }
  });

  scenario("closes a half-open pair after halfOpenTimeout", async () => {
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

  scenario(
    "closes both ends when no payload has moved for idleTimeout",
    async () => {
      await relaying(async ({ dial, peers, results }) => {
        using client = await dial(HEADER);
        using peer = await peers.next("a target");
        const { sent, received, error } = await results.next("the result");
        assert.deepEqual([sent, received], [0, 0]);
        assert(error instanceof Error);
        assert.equal(error.name, "TimeoutError");
        await peer.receiveAll();
        await client.receiveAll();
      }, { options: { idleTimeout: 20 } });
    },
  );

  scenario("refuses wrong options, and closes the client", async () => {
    await using back = await backend();
    for (
      const [options, type] of [
        [{ send: 2, keep: ["NONSENSE"] }, TypeError],
        [{ send: 2, drop: ["SSL_CN"] }, TypeError],
        [{ send: 2, add: { UNIQUE_ID: new Uint8Array(129) } }, RangeError],
        [{ send: 2, append: { UNIQUE_ID: new Uint8Array(129) } }, RangeError],
        [{ send: 2, ifAbsent: { UNIQUE_ID: new Uint8Array(129) } }, RangeError],
        [{ halfOpenTimeout: -1 }, RangeError],
        [{ halfOpenTimeout: NaN }, RangeError],
        [{ idleTimeout: 0 }, RangeError],
        [JSON.parse('{ "send": 3 }'), TypeError],
        [JSON.parse('{ "sent": 2 }'), TypeError],
      ] as const
    ) {
      await relaying(async ({ dial, thrown }) => {
        using client = await dial(HEADER);
        assert(await thrown.next("a refusal") instanceof type);
        await client.receiveAll();
      }, { back, options });
    }
    assert.equal(back.peers.size, 0);
  });

  scenario(
    "refuses a socket that is relayed already, and closes it",
    async () => {
      await relaying(async ({ dial, results, thrown }) => {
        using client = await dial(HEADER);
        assert(await thrown.next("a refusal") instanceof TypeError);
        await client.receiveAll();
        assert.deepEqual(await results.next("the result"), {
          sent: 0,
          received: 0,
        });
      }, { times: 2 });
    },
  );

  scenario("says that a header is too long to be sent", async () => {
    const value = new Uint8Array(65_000);
    const add = [{ type: 0xe0, value }, { type: 0xe1, value }];
    await relaying(async ({ dial, results }) => {
      using client = await dial(HEADER);
      await client.receiveAll();
      const { error } = await results.next("the result");
      assert(error instanceof RangeError);
    }, { options: { send: 2, add } });
  });

  scenario("from TLS to TLS, with the header inside", async () => {
    await using back = await tlsBackend();
    const [up, down] = [pattern(MEBIBYTE), pattern(MEBIBYTE).reverse()];
    await relaying(async ({ port, peers, results }) => {
      using client = await Client.dialTls(port);
      await client.send(concat([HEADER, up]));
      using peer = await peers.next("a target");
      const expected = concat([V2, up]);
      assertBytes(await peer.receive(expected.length), expected);
      peer.stream.end(down);
      assertBytes(await client.receive(down.length), down);
      await client.receiveAll();
      client.end();
      assert.deepEqual(await results.next("the result"), {
        sent: up.length,
        received: down.length,
      });
    }, { back, options: { send: 2 }, isTls: true });
  });

  scenario(
    "tells nothing to a target that is not who it should be",
    async () => {
      for (
        const tls of [{}, { ca: KEY_PAIR.cert, name: "other.example" }]
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
    },
  );

  scenario("to a UNIX socket", async () => {
    const folder = mkdtempSync(join(tmpdir(), "relay-"));
    try {
      await using back = await backend(plain, { path: join(folder, "socket") });
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

  scenario("leaves no descriptor behind", async () => {
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
}
