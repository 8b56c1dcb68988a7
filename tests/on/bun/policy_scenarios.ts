/** Who is let in and who is refused; run by `bun test`. */

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import {
  proxied,
  proxyHop,
  type ProxyInfo,
  proxyInfo,
} from "../../../conn/bun.ts";
import { encode } from "../../../mod.ts";
import type { Socket } from "./_bun.ts";
import {
  assertBytes,
  Client,
  concat,
  pattern,
  Queue,
  utf8,
} from "./_client.ts";
import {
  CLIENT,
  echo,
  type Handlers,
  HEADER,
  type Options,
  type Served,
  serving,
  SHOWN,
  shown,
  toBytes,
} from "./_kit.ts";

/** Handlers whose calls are told one by one. */
function observed(): { handlers: Handlers; log: Queue<string> } {
  const log = new Queue<string>();
  return {
    log,
    handlers: {
      open: (_socket, info) => log.add(`open ${info?.command}`),
      data: (_socket, payload) =>
        log.add(`data ${new TextDecoder().decode(payload)}`),
      end: () => log.add("end"),
      close: (_socket, error) => log.add(error ? "close error" : "close"),
      error: (_socket, error) => log.add(`error ${error.message}`),
      drain: () => log.add("drain"),
    },
  };
}

/** Serves one well-behaved client to show that the listener goes on. */
async function assertServes({ port }: Served, log: Queue<string>) {
  using client = await Client.dial(port);
  await client.send(concat([HEADER, utf8("good")]));
  assert.equal(await log.next("open"), "open PROXY");
  assert.equal(await log.next("data"), "data good");
  client.end();
  assert.equal(await log.next("end"), "end");
  assert.equal(await log.next("close"), "close");
}

/** A client that is refused: the code, and that the application hears nothing. */
async function assertRefused(
  code: string,
  send: (client: Client) => Promise<void> | void,
  options: Options = {},
) {
  const { handlers, log } = observed();
  await serving(handlers, async (served) => {
    using client = await Client.dial(served.port);
    await send(client);
    const error = await served.rejects.next("a report");
    assert.equal(error.code, code);
    assert.deepEqual(error.hop, {
      transport: "tcp",
      hostname: "127.0.0.1",
      port: client.port,
    });
    assert.equal((await client.receiveAll()).length, 0);
    assert.equal(log.size, 0);
    assert.deepEqual({ ...served.stats }, {
      accepted: 0,
      direct: 0,
      local: 0,
      pending: 0,
      rejected: { [code]: 1 },
    });
  }, options);
}

test("Bun: a wrong header is refused and the listener goes on", async () => {
  for (
    const [code, bytes] of [
      ["signature", utf8("GET / HTTP/1.1\r\n\r\n")],
      ["line", utf8("PROXY TCP4 nonsense\r\n")],
      ["command", Uint8Array.of(...HEADER.subarray(0, 12), 0x2f, 0x11, 0, 12)],
    ] as const
  ) {
    const { handlers, log } = observed();
    await serving(handlers, async (served) => {
      using client = await Client.dial(served.port);
      await client.send(bytes);
      const error = await served.rejects.next("a report");
      assert.equal(error.code === code || error.code === "address", true, code);
      assertBytes(error.received, bytes);
      assert.equal((await client.receiveAll()).length, 0);
      await assertServes(served, log);
    });
  }
});

test("Bun: a header one byte short at the deadline is refused", async () => {
  await assertRefused(
    "timeout",
    (client) => client.send(HEADER.subarray(0, -1)),
    { timeout: 1000 },
  );
});

test("Bun: an untrusted peer is refused before it sends anything", async () => {
  await assertRefused("untrusted", () => {}, { trust: ["192.0.2.0/24"] });
});

test("Bun: a trust function that throws trusts nobody", async () => {
  await assertRefused("untrusted", () => {}, {
    trust: () => {
      throw new Error("mistake");
    },
    untrusted: "direct",
  });
});

test("Bun: a peer that leaves in its header is incomplete", async () => {
  await assertRefused("incomplete", async (client) => {
    await client.send(HEADER.subarray(0, 20));
    client.end();
  });
});

test("Bun: verify refuses by false, by an error and by a late false", async () => {
  const refusals: Options["verify"][] = [
    () => false,
    () => {
      throw new Error("mistake");
    },
    async () => await Promise.resolve(false),
    async () => await Promise.reject(new Error("mistake")),
  ];
  for (const verify of refusals) {
    await assertRefused(
      "verify",
      (client) => client.send(concat([HEADER, utf8("payload")])),
      verify ? { verify } : {},
    );
  }
});

test("Bun: verify is told the header and a socket that shows the client", async () => {
  const asked = new Queue<[ProxyInfo, Socket]>();
  const { handlers, log } = observed();
  await serving(handlers, async (served) => {
    await assertServes(served, log);
    const [info, socket] = await asked.next("verify");
    assert.deepEqual(info.source, CLIENT.source);
    assert.deepEqual(shown(socket), SHOWN);
    assert.equal(proxyInfo(socket), info);
    assert.equal(proxyHop(socket)?.transport, "tcp");
  }, {
    verify: (info, socket) => {
      asked.add([info, socket]);
      return true;
    },
  });
});

test("Bun: what arrives while verify is asked comes after open, in order", async () => {
  const log: string[] = [];
  const chunks: Uint8Array[] = [];
  const closed = Promise.withResolvers<void>();
  const asked = Promise.withResolvers<void>();
  const answer = Promise.withResolvers<boolean>();
  const payload = pattern(3_000_000);
  await serving({
    open: () => log.push("open"),
    data: (_socket, chunk) => chunks.push(toBytes(chunk)),
    end: () => log.push("end"),
    close() {
      log.push("close");
      closed.resolve();
    },
  }, async ({ port, arrival }) => {
    using client = await Client.dial(port);
    await client.send(concat([HEADER, payload.subarray(0, 10)]));
    await asked.promise;
    await arrival(client);
    const sending = client.send(payload.subarray(10));
    await arrival(client);
    using other = await Client.dial(port); // whose turn comes after what else arrived
    await other.send(HEADER.subarray(0, 1));
    await arrival(other);
    assert.deepEqual(log, []);
    answer.resolve(true);
    await sending;
    client.end();
    await closed.promise;
    assert.deepEqual(log, ["open", "end", "close"]);
    assertBytes(concat(chunks), payload);
  }, {
    verify: () => {
      asked.resolve();
      return answer.promise;
    },
  });
});

test("Bun: reading stops while verify is asked, so that what is held has a bound", async () => {
  const answer = Promise.withResolvers<boolean>();
  const asked = Promise.withResolvers<void>();
  let received = 0;
  await serving(
    { data: (_socket, chunk) => received += chunk.byteLength },
    async ({ port, arrival }) => {
      using client = await Client.dial(port);
      await client.send(HEADER);
      await asked.promise;
      await arrival(client);
      // More than the buffers of both ends hold: it cannot all be written.
      const isWritten = client.stream.write(pattern(64 * 1024 * 1024));
      const first = await arrival(client);
      using other = await Client.dial(port);
      await other.send(HEADER.subarray(0, 1));
      await arrival(other);
      assert.equal(isWritten, false);
      assert(first < 4 * 1024 * 1024);
      assert(client.stream.writableLength > 0);
      answer.resolve(false);
      await client.receiveAll();
      assert.equal(received, 0);
    },
    {
      verify: () => {
        asked.resolve();
        return answer.promise;
      },
    },
  );
});

test("Bun: a client that closes while verify is asked is told in order", async () => {
  const { handlers, log } = observed();
  const answer = Promise.withResolvers<boolean>();
  await serving(handlers, async ({ port, arrival }) => {
    using client = await Client.dial(port);
    await client.send(concat([HEADER, utf8("all of it")]));
    client.end();
    await client.receiveAll(); // Bun has closed its half
    await arrival(client);
    assert.equal(log.size, 0);
    answer.resolve(true);
    for (
      const expected of ["open PROXY", "data all of it", "end", "close"]
    ) {
      assert.equal(await log.next(expected), expected);
    }
  }, { verify: () => answer.promise });
});

test("Bun: a peer that closes without a byte is counted and not reported", async () => {
  const { handlers, log } = observed();
  for (const leave of ["end", "resetAndDestroy"] as const) {
    await serving(handlers, async (served) => {
      const { stream } = await Client.dial(served.port);
      Reflect.get(stream, leave).call(stream);
      using bad = await Client.dial(served.port); // which is reported after it
      await bad.send("nonsense");
      assert.equal((await served.rejects.next("a report")).code, "signature");
      assert.deepEqual(served.stats.rejected, { empty: 1, signature: 1 });
      await assertServes(served, log);
    });
  }
});

test("Bun: a silent peer and 200 bad headers hold up nobody", async () => {
  const { handlers, log } = observed();
  await serving(handlers, async (served) => {
    using silent = await Client.dial(served.port);
    const bad = await Promise.all(
      Array.from({ length: 200 }, () => Client.dial(served.port)),
    );
    for (const client of bad) client.stream.write("GET / HTTP/1.1\r\n\r\n");
    await assertServes(served, log);
    for (const client of bad) await client.receiveAll();
    assert.equal(served.stats.pending, 1);
    assert.equal(served.stats.accepted, 1);
    assert.deepEqual(served.stats.rejected, { signature: 200 });
    assert.equal(silent.received().length, 0);
  });
});

test("Bun: a connection idles past the timeout once its header is in", async () => {
  await serving(echo(), async ({ port, rejects }) => {
    using client = await Client.dial(port);
    await client.send(HEADER);
    using late = await Client.dial(port); // its deadline is the later one
    assert.equal((await rejects.next("the deadline")).code, "timeout");
    await late.receiveAll();
    await client.send("still there");
    assertBytes(await client.receive(11), utf8("still there"));
  }, { timeout: 1000 });
});

test("Bun: over maxPending who has waited longest is rejected, the others are let in", async () => {
  const { handlers, log } = observed();
  await serving(handlers, async (served) => {
    using first = await Client.dial(served.port);
    using second = await Client.dial(served.port);
    using _third = await Client.dial(served.port);
    const error = await served.rejects.next("a report");
    assert.equal(error.code, "overload");
    assert.equal((await first.receiveAll()).length, 0);
    await second.send(HEADER);
    assert.equal(await log.next("open"), "open PROXY");
    assert.deepEqual([served.stats.pending, served.stats.accepted], [1, 1]);
    await assertServes(served, log);
  }, { maxPending: 2 });
});

test("Bun: an untrusted peer is served directly where that is asked for", async () => {
  const opened = new Queue<[Socket, ProxyInfo | undefined]>();
  const { handlers, log } = observed();
  await serving({
    ...handlers,
    open: (socket, info) => opened.add([socket, info]),
  }, async ({ port, stats }) => {
    using client = await Client.dial(port);
    const [socket, info] = await opened.next("open");
    assert.equal(info, undefined);
    assert.deepEqual(
      [socket.remoteAddress, socket.remotePort],
      ["127.0.0.1", client.port],
    );
    assert.deepEqual(Object.keys(socket), []);
    await client.send("PROXY TCP4 1.1.1.1 2.2.2.2 3 4\r\n");
    assert.match(await log.next("data"), /^data PROXY TCP4/);
    assert.deepEqual([stats.accepted, stats.direct], [1, 1]);
  }, { trust: [], untrusted: "direct" });
});

test("Bun: header discard takes it off and keeps the real address", async () => {
  const opened = new Queue<[Socket, ProxyInfo | undefined]>();
  const { handlers, log } = observed();
  await serving({
    ...handlers,
    open: (socket, info) => opened.add([socket, info]),
  }, async ({ port }) => {
    using client = await Client.dial(port);
    await client.send(concat([HEADER, utf8("payload")]));
    const [socket, info] = await opened.next("open");
    assert.deepEqual(info?.source, CLIENT.source);
    assert.equal(socket.remotePort, client.port);
    assert.equal(await log.next("data"), "data payload");
  }, { header: "discard" });
});

test("Bun: an optional header is taken where there is one, and needs no byte more", async () => {
  const { handlers, log } = observed();
  await serving(handlers, async (served) => {
    await assertServes(served, log);
    using client = await Client.dial(served.port);
    await client.send("PRO");
    client.end(); // a beginning of a header that never becomes one
    assert.equal(await log.next("open"), "open undefined");
    assert.equal(await log.next("data"), "data PRO");
    assert.equal(await log.next("end"), "end");
    assert.equal(await log.next("close"), "close");
    assert.equal(served.stats.direct, 1);
  }, { header: "optional" });
});

test("Bun: LOCAL and UNKNOWN keep the real address", async () => {
  for (
    const header of [encode({ command: "LOCAL" }), utf8("PROXY UNKNOWN\r\n")]
  ) {
    const opened = new Queue<Socket>();
    await serving(
      { open: (socket) => opened.add(socket) },
      async ({ port, stats }) => {
        using client = await Client.dial(port);
        await client.send(header);
        const socket = await opened.next("open");
        assert.equal(socket.remotePort, client.port);
        assert.equal(stats.local, header[0] === 0x0d ? 1 : 0);
      },
    );
  }
});

test("Bun: a client on a UNIX socket has no address to show", async () => {
  const opened = new Queue<[Socket, ProxyInfo | undefined]>();
  await serving(
    { open: (socket, info) => opened.add([socket, info]) },
    async ({ port }) => {
      using client = await Client.dial(port);
      await client.send(encode({
        source: { transport: "unix", path: "/client" },
        destination: { transport: "unix", path: "/server" },
      }));
      const [socket, info] = await opened.next("open");
      assert.equal(socket.remoteAddress, undefined);
      assert.equal(socket.remoteFamily, undefined);
      assert.deepEqual(info?.source, { transport: "unix", path: "/client" });
    },
  );
});

test("Bun: a UNIX listener trusts by the entry unix alone", async () => {
  const directory = mkdtempSync(join(tmpdir(), "proxied-"));
  try {
    const { handlers, log } = observed();
    const sockets = new Queue<Socket>();
    await serving(
      {
        ...handlers,
        open(socket, info) {
          sockets.add(socket);
          handlers.open?.(socket, info);
        },
      },
      async () => {
        using client = await Client.dial(join(directory, "a"));
        await client.send(concat([HEADER, utf8("payload")]));
        assert.equal(await log.next("open"), "open PROXY");
        assert.equal(await log.next("data"), "data payload");
        const socket = await sockets.next("open");
        assert.deepEqual(shown(socket), SHOWN);
        assert.deepEqual(proxyHop(socket), { transport: "unix", path: "" });
      },
      { trust: ["unix"] },
      { unix: join(directory, "a") },
    );
    await serving(
      handlers,
      async ({ rejects }) => {
        using client = await Client.dial(join(directory, "b"));
        await client.receiveAll();
        assert.equal((await rejects.next("a report")).code, "untrusted");
      },
      {},
      { unix: join(directory, "b") },
    );
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test("Bun: a mapped peer on a listener of both families is trusted as IPv4", async () => {
  const { handlers, log } = observed();
  await serving(
    handlers,
    async (served) => {
      await assertServes(served, log);
    },
    {},
    { hostname: "::" },
  );
});

test("Bun: a peer that reset before it was accepted is not taken for a UNIX socket", async () => {
  const { handlers, log } = observed();
  await serving(handlers, async (served) => {
    const wrapped = proxied(handlers, { trust: ["unix"], untrusted: "direct" });
    const gone: Socket = Object.create(null, {
      listener: { value: { unix: undefined } },
      pause: { value: () => {} },
      terminate: { value: () => {} },
    });
    wrapped.open(gone);
    wrapped.data(gone, utf8("PROXY TCP4 1.1.1.1 2.2.2.2 3 4\r\n"));
    await assertServes(served, log);
    assert.deepEqual(wrapped.stats.rejected, { empty: 1 });
    assert.equal(log.size, 0);
  });
});

test("Bun: a signal refuses what is pending and what comes later", async () => {
  const controller = new AbortController();
  const { handlers, log } = observed();
  await serving(handlers, async (served) => {
    using served1 = await Client.dial(served.port);
    await served1.send(HEADER);
    assert.equal(await log.next("open"), "open PROXY");
    using pending = await Client.dial(served.port);
    await pending.send(HEADER.subarray(0, 5));
    await served.arrival(pending);
    controller.abort();
    assert.equal((await served.rejects.next("a report")).code, "aborted");
    assert.equal((await pending.receiveAll()).length, 0);
    using late = await Client.dial(served.port);
    assert.equal((await served.rejects.next("a report")).code, "aborted");
    await late.receiveAll();
    await served1.send("x");
    assert.equal(await log.next("data"), "data x");
  }, { signal: controller.signal });
});

test("Bun: a direct peer that comes after the signal is refused", async () => {
  await assertRefused("aborted", () => {}, {
    trust: [],
    untrusted: "direct",
    signal: AbortSignal.abort(),
  });
});

test("Bun: an observer that throws is not the peer's fault", async () => {
  const { handlers, log } = observed();
  await serving(handlers, async (served) => {
    using client = await Client.dial(served.port);
    await client.send("nonsense");
    await client.receiveAll();
    await assertServes(served, log);
  }, {
    onReject: () => {
      throw new Error("mistake");
    },
  });
});

test("Bun: wrong options throw before a peer comes", () => {
  assert.throws(() => proxied({}, { trust: ["nonsense"] }), TypeError);
  assert.throws(() => proxied({}, { trust: [], maxPending: 0 }), RangeError);
  const misspelt = { trust: [], timout: 100 };
  assert.throws(() => proxied({}, misspelt), TypeError);
});

test("Bun: an end before the header is refused on a half-open listener too", async () => {
  for (
    const [sent, code] of [["", "empty"], ["PROXY", "incomplete"]] as const
  ) {
    const { handlers, log } = observed();
    await serving(
      handlers,
      async ({ port, stats }) => {
        using client = await Client.dial(port);
        if (sent) await client.send(sent);
        client.end();
        await client.receiveAll();
        assert.deepEqual(stats.rejected, { [code]: 1 });
        assert.equal(log.size, 0);
      },
      {},
      { allowHalfOpen: true },
    );
  }
});
