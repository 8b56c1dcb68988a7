/** Servers that speak first: `open` is called before the header has come. */

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  proxyHop,
  proxyInfo,
  ProxyProtocolError,
  ready,
  upgradeTls,
} from "../../../conn/bun.ts";
import type { Socket } from "./_bun.ts";
import { Client, KEY_PAIR, pattern, Queue, utf8 } from "./_client.ts";
import {
  type Handlers,
  HEADER,
  serving,
  SHOWN,
  shown,
  toBytes,
} from "./_kit.ts";

const LAZY = { lazy: true };

/** Greets at once, says whom it has greeted when that is known, then echoes. */
function greeting(log: Queue<string>): Handlers {
  return {
    open(socket, info) {
      assert.equal(info, undefined);
      assert.equal(proxyInfo(socket), undefined);
      socket.write(utf8(`220 hello ${socket.remoteAddress}\r\n`));
      ready(socket).then((info) => {
        assert.equal(info, proxyInfo(socket));
        assert.deepEqual(shown(socket), SHOWN);
        log.add(`ready ${info?.version}`);
      }, (error: unknown) => {
        assert(error instanceof ProxyProtocolError);
        log.add(`rejected ${error.code}`);
      });
    },
    data: (socket, payload) => void socket.write(toBytes(payload)),
    close: () => log.add("close"),
  };
}

/** Waits for the greeting. */
async function greeted(client: Client): Promise<void> {
  const greeting = "220 hello 127.0.0.1\r\n";
  const received = await client.receive(greeting.length);
  assert.equal(new TextDecoder().decode(received), greeting);
}

test("Bun: lazy greets before the header, and reads after it", async () => {
  const payload = pattern(1000);
  for (let cut = 0; cut <= HEADER.length; cut++) {
    const log = new Queue<string>();
    await serving(greeting(log), async ({ port, stats, arrival }) => {
      using client = await Client.dial(port);
      await greeted(client);
      assert.deepEqual([stats.pending, stats.accepted], [1, 0]);
      if (cut > 0) {
        await client.send(HEADER.subarray(0, cut));
        await arrival(client);
      }
      await client.send(Uint8Array.from([...HEADER.subarray(cut), ...payload]));
      assert.equal(await log.next("ready"), "ready 2");
      const start = "220 hello 127.0.0.1\r\n".length;
      const all = await client.receive(start + payload.length);
      assert.deepEqual(all.subarray(start), payload);
      assert.deepEqual([stats.pending, stats.accepted], [0, 1]);
    }, LAZY);
  }
});

test("Bun: lazy shows no claim, and gives no data, before verify has agreed", async () => {
  const answer = Promise.withResolvers<boolean>();
  const opened = new Queue<Socket>();
  const asked = new Queue<Socket>();
  const log = new Queue<string>();
  const handlers = greeting(log);
  const open = (socket: Socket) => {
    opened.add(socket);
    handlers.open?.(socket, undefined);
  };
  await serving({ ...handlers, open }, async ({ port }) => {
    using client = await Client.dial(port);
    await greeted(client);
    await client.send(Uint8Array.from([...HEADER, ...utf8("hello")]));
    const view = await asked.next("verify");
    assert.deepEqual(shown(view), SHOWN);
    assert.equal(proxyInfo(view)?.version, 2);
    const socket = await opened.next("the socket");
    assert.equal(socket.remoteAddress, "127.0.0.1");
    assert.equal(proxyInfo(socket), undefined);
    assert.deepEqual(proxyHop(view), proxyHop(socket));
    answer.resolve(true);
    const all = await client.receive("220 hello 127.0.0.1\r\nhello".length);
    assert(new TextDecoder().decode(all).endsWith("\r\nhello"));
  }, {
    ...LAZY,
    verify: (_, socket) => {
      asked.add(socket);
      return answer.promise;
    },
  });
});

test("Bun: lazy closes what is rejected, and the application hears of both", async () => {
  const cases: [bytes: Uint8Array, code: string, options: object][] = [
    [utf8("GET / HTTP/1.1\r\n"), "signature", {}],
    [HEADER.subarray(0, 5), "timeout", { timeout: 200 }],
    [HEADER, "verify", { verify: () => false }],
  ];
  for (const [bytes, code, options] of cases) {
    const log = new Queue<string>();
    await serving(greeting(log), async ({ port, stats }) => {
      using client = await Client.dial(port);
      await greeted(client);
      await client.send(bytes);
      const heard = [await log.next("one"), await log.next("another")];
      assert.deepEqual(heard.sort(), ["close", `rejected ${code}`]);
      assert.deepEqual(stats.rejected, { [code]: 1 });
    }, { ...LAZY, ...options });
  }
});

test("Bun: lazy holds the payload of a socket that is paused in open", async () => {
  const opened = new Queue<Socket>();
  const log = new Queue<string>();
  await serving({
    open(socket) {
      socket.pause();
      opened.add(socket);
    },
    data: (_, payload) => log.add(new TextDecoder().decode(toBytes(payload))),
  }, async ({ port }) => {
    using client = await Client.dial(port);
    const socket = await opened.next("open");
    await client.send(Uint8Array.from([...HEADER, ...utf8("hello")]));
    assert.equal((await ready(socket))?.version, 2);
    assert.equal(log.size, 0);
    socket.resume();
    assert.equal(await log.next("data"), "hello");
  }, LAZY);
});

test("Bun: TLS does not begin before the header of a lazy socket", async () => {
  const thrown = new Queue<unknown>();
  await serving({
    open(socket) {
      try {
        upgradeTls(socket, { tls: KEY_PAIR, socket: { data() {} } });
      } catch (error) {
        thrown.add(error);
      }
    },
  }, async ({ port }) => {
    using _client = await Client.dial(port);
    assert((await thrown.next("a throw")) instanceof TypeError);
  }, LAZY);
});
