/** The header inside TLS, and in clear before it; run by `bun test`. */

import assert from "node:assert/strict";
import { connect, type Socket as Peer } from "node:net";
import type { Duplex } from "node:stream";
import { test } from "node:test";
import {
  proxyHop,
  type ProxyInfo,
  proxyInfo,
  upgradeTls,
} from "../../../conn/bun.ts";
import type { PlainHandlers, Socket } from "./_bun.ts";
import {
  assertBytes,
  Client,
  concat,
  gluedTo,
  KEY_PAIR,
  pattern,
  Queue,
  utf8,
  within,
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
} from "./_kit.ts";

const PAYLOAD = pattern(1024 * 1024);

test("Bun: the header inside TLS, glued, split and one byte at a time", async () => {
  const infos: (ProxyInfo | undefined)[] = [];
  const sockets: Socket[] = [];
  const handlers = echo((socket, info) => {
    infos.push(info);
    sockets.push(socket);
  });
  await serving(
    handlers,
    async ({ port, arrival, stats }) => {
      const series = [
        [concat([HEADER, PAYLOAD])],
        [HEADER, PAYLOAD],
        ...Array.from(HEADER.keys(), (cut) => [
          HEADER.subarray(0, cut),
          concat([HEADER.subarray(cut), utf8("payload")]),
        ]).slice(1),
        Array.from(
          concat([HEADER, utf8("payload")]),
          (byte) => Uint8Array.of(byte),
        ),
      ];
      for (const pieces of series) {
        using client = await Client.dialTls(port);
        for (const [i, piece] of pieces.entries()) {
          if (i > 0) await arrival(client);
          await client.send(piece);
        }
        const payload = concat(pieces).subarray(HEADER.length);
        assertBytes(await client.receive(payload.length), payload);
      }
      assert.equal(stats.accepted, series.length);
      for (const info of infos) assert.deepEqual(info?.source, CLIENT.source);
      for (const socket of sockets) assert.deepEqual(shown(socket), SHOWN);
    },
    {},
    { tls: KEY_PAIR },
  );
});

test("Bun: a listener of TLS without a handshake handler has its deadline from the first byte on", async () => {
  await serving(
    echo(),
    async ({ port, rejects, stats }) => {
      using silent = await Client.dial(port);
      const error = await rejects.next("the deadline");
      assert.equal(error.code, "timeout");
      assert.equal((await silent.receiveAll()).length, 0);
      using hasNoHeader = await Client.dialTls(port);
      assert.equal((await rejects.next("the deadline")).code, "timeout");
      await hasNoHeader.receiveAll();
      assert.equal(stats.pending, 0);
    },
    { timeout: 1500 },
    { tls: KEY_PAIR },
  );
});

test("Bun: what is not TLS is told, a peer that closes during the handshake is not", async () => {
  const calls: string[] = [];
  const handlers: Handlers = {
    open: () => calls.push("open"),
    handshake: () => calls.push("handshake"),
    error: () => calls.push("error"),
    close: () => calls.push("close"),
  };
  await serving(
    handlers,
    async ({ port, rejects, stats }) => {
      for (const leave of ["end", "resetAndDestroy"] as const) {
        const { stream } = await Client.dial(port);
        Reflect.get(stream, leave).call(stream);
      }
      using garbage = await Client.dial(port);
      await garbage.send("GET / HTTP/1.1\r\n\r\n");
      const error = await rejects.next("a report");
      assert.equal(error.code, "io");
      assert.match(error.message, /SSL/);
      await garbage.receiveAll();
      using client = await Client.dialTls(port);
      await client.send("nonsense");
      assert.equal((await rejects.next("a report")).code, "signature");
      await client.receiveAll();
      assert.deepEqual(stats.rejected, { empty: 2, io: 1, signature: 1 });
      assert.deepEqual(calls, []);
    },
    {},
    { tls: KEY_PAIR },
  );
});

test("Bun: a broken TLS record before the header is told and does not throw", async () => {
  for (const handlers of [{}, { error: () => assert.fail("not open") }]) {
    await serving(
      handlers,
      async ({ port, stats }) => {
        const peer = await dialPeer(port);
        using client = await Client.dialTls(gluedTo(new Uint8Array(), peer));
        peer.write(Uint8Array.of(23, 3, 3, 0, 32, ...new Uint8Array(32)));
        await client.receiveAll();
        peer.destroy();
        assert.equal(stats.pending, 0);
        assert.equal(Object.keys(stats.rejected).length, 1);
      },
      {},
      { tls: KEY_PAIR },
    );
  }
});

async function dialPeer(port: number): Promise<Peer> {
  const peer = connect(port, "127.0.0.1");
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  peer.once("connect", resolve).once("error", reject);
  await within(promise, "a connection");
  peer.setNoDelay(true);
  return peer;
}

/** What is served behind an upgrade, with what it hears. */
function upgrading(
  tlsHandlers: PlainHandlers,
  heard: Queue<string>,
): Handlers {
  return {
    open(socket) {
      heard.add("open");
      const tls = upgradeTls(socket, {
        tls: KEY_PAIR,
        data: { of: "tls" },
        socket: tlsHandlers,
      });
      assert(tls);
      assert.deepEqual(shown(tls), SHOWN);
      assert.equal(proxyInfo(tls), proxyInfo(socket));
      assert.equal(proxyHop(tls), proxyHop(socket));
    },
    data: () => heard.add("data"),
    end: () => heard.add("end"),
    close: () => heard.add("close"),
  };
}

/** Dials through `wrap`, sends 1 MiB through TLS and expects it back. */
async function assertUpgrades(
  wrap: (served: Served) => Promise<Duplex>,
  options: Options = {},
  binaryType: "buffer" | "uint8array" | "arraybuffer" = "buffer",
) {
  const heard = new Queue<string>();
  const opened = new Queue<Socket>();
  const tlsHandlers = echo((socket) => {
    assert.deepEqual(shown(socket), SHOWN);
    assert.deepEqual(proxyInfo(socket)?.source, CLIENT.source);
    opened.add(socket);
  });
  const { open, data, drain } = tlsHandlers;
  const plain: PlainHandlers = {
    open: (socket) => open?.(socket, undefined),
    data: (socket, payload) => data?.(socket, payload),
    drain: (socket) => drain?.(socket),
    close: () => heard.add("TLS close"),
  };
  const handlers = { ...upgrading(plain, heard), binaryType };
  await serving(handlers, async (served) => {
    using client = await Client.dialTls(await wrap(served));
    await client.send(PAYLOAD);
    assertBytes(await client.receive(PAYLOAD.length), PAYLOAD);
    assert.deepEqual((await opened.next("open of TLS")).data, { of: "tls" });
    client.end();
    assert.equal(await heard.next("open"), "open");
    assert.equal(await heard.next("close"), "TLS close");
    assert.equal(heard.size, 0);
  }, options);
}

for (const binaryType of ["buffer", "uint8array", "arraybuffer"] as const) {
  test(`Bun: TLS right behind a header in clear, ${binaryType}`, async () => {
    await assertUpgrades(
      async ({ port }) => gluedTo(HEADER, await dialPeer(port)),
      {},
      binaryType,
    );
  });
}

test("Bun: TLS after a header in clear that came by itself", async () => {
  await assertUpgrades(async ({ port, arrival }) => {
    const client = await Client.dial(port);
    await client.send(HEADER);
    await arrival(client);
    client.stream.removeAllListeners("data");
    return gluedTo(new Uint8Array(), client.stream);
  });
});

test("Bun: TLS after a header in clear, split at each byte", async () => {
  for (const cut of HEADER.keys()) {
    if (cut === 0) continue;
    await assertUpgrades(async ({ port, arrival }) => {
      const client = await Client.dial(port);
      await client.send(HEADER.subarray(0, cut));
      await arrival(client);
      client.stream.removeAllListeners("data");
      return gluedTo(HEADER.subarray(cut), client.stream);
    });
  }
});

test("Bun: TLS whose beginning arrives while verify is asked", async () => {
  const asked = Promise.withResolvers<void>();
  const answer = Promise.withResolvers<boolean>();
  await assertUpgrades(async ({ port, arrival }) => {
    const client = await Client.dial(port);
    await client.send(HEADER);
    await asked.promise;
    await arrival(client);
    client.stream.removeAllListeners("data");
    // The ClientHello stops the reading; the answer comes once it is there.
    arrival(client).then(() => answer.resolve(true));
    return gluedTo(new Uint8Array(), client.stream);
  }, {
    verify: () => {
      asked.resolve();
      return answer.promise;
    },
  });
});

test("Bun: upgradeTls does not throw when the client has gone", async () => {
  for (const allowHalfOpen of [false, true]) {
    for (const leave of ["end", "resetAndDestroy"] as const) {
      const upgraded = new Queue<boolean>();
      const answer = Promise.withResolvers<boolean>();
      await serving(
        {
          open(socket) {
            const tls = upgradeTls(socket, {
              tls: KEY_PAIR,
              socket: { data() {} },
            });
            upgraded.add(tls !== undefined);
          },
          close: () => upgraded.add(false),
        },
        async ({ port, arrival, rejects }) => {
          const client = await Client.dial(port);
          await client.send(HEADER);
          await arrival(client);
          Reflect.get(client.stream, leave).call(client.stream);
          using other = await Client.dial(port); // whose turn comes after that
          await other.send(HEADER.subarray(0, 1));
          await arrival(other);
          answer.resolve(true);
          if (leave === "end") {
            assert.equal(await upgraded.next("open"), allowHalfOpen);
          } else { // it is gone before it was admitted: nobody hears of it
            assert.equal((await rejects.next("a refusal")).code, "io");
            assert.equal(upgraded.size, 0);
          }
        },
        { verify: () => answer.promise },
        { allowHalfOpen },
      );
    }
  }
});
