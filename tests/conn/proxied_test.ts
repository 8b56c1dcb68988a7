import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  accept,
  encode,
  type ListenerOptions,
  proxied,
  type ProxiedConn,
  type ProxiedListener,
  type ProxyProtocolError,
} from "../../mod.ts";
import { within } from "../_within.ts";
import { setImmediate as nextTurn } from "node:timers/promises";
import { TRUST, untilAskedAfter } from "./_loopback.ts";
import { CLIENT, dial, HEADER, listen, receive, send } from "./_peers.ts";
import { holdTimers } from "./_timers.ts";

/** Waits until so many headers are pending. */
async function pendingCount(
  listener: ProxiedListener<Deno.TcpConn, Deno.NetAddr>,
  count: number,
): Promise<void> {
  while (listener.stats.pending < count) await nextTurn();
}

/** Runs a proxied listener with what it reports. */
async function withListener(
  options: Partial<ListenerOptions>,
  work: (
    listener: ProxiedListener<Deno.TcpConn, Deno.NetAddr>,
    rejects: AsyncIterator<ProxyProtocolError, void>,
  ) => Promise<void>,
  tcp: Deno.TcpListener = listen(),
): Promise<void> {
  const reported: ProxyProtocolError[] = [];
  let wake = () => {};
  const listener = proxied(tcp, {
    trust: TRUST,
    ...options,
    onReject: (error) => {
      reported.push(error);
      wake();
    },
  });
  async function* rejects() {
    for (;;) {
      while (reported.length === 0) {
        await new Promise<void>((resolve) => wake = resolve);
      }
      for (const error of reported.splice(0)) yield error;
    }
  }
  try {
    await work(listener, rejects());
  } finally {
    listener.close();
  }
}

/** The code of the next refusal. */
async function nextCode(
  rejects: AsyncIterator<ProxyProtocolError, void>,
): Promise<string | undefined> {
  const { value } = await rejects.next();
  return value?.code;
}

Deno.test("proxied() yields connections with the client's address", async () => {
  await withListener({}, async (listener) => {
    using client = await dial(listener, HEADER);
    await send(client, "payload");
    using conn = await listener.accept();
    assertEquals(conn.remoteAddr, CLIENT.source);
    assertEquals(conn.localAddr, CLIENT.destination);
    assertEquals(conn.hopAddr, { ...client.localAddr });
    const buffer = new Uint8Array(16);
    assertEquals(await conn.read(buffer), 7);
    assertEquals(listener.stats, {
      accepted: 1,
      direct: 0,
      local: 0,
      pending: 0,
      rejected: {},
    });
  });
});

Deno.test("proxied() is a Deno.Listener", () => {
  const listener: Deno.Listener<ProxiedConn<Deno.TcpConn>, Deno.NetAddr> =
    proxied(listen(), { trust: TRUST });
  assertEquals(listener.addr.hostname, "127.0.0.1");
  listener.unref();
  listener.ref();
  listener.close();
});

Deno.test("proxied() refuses a bad option before a peer comes", () => {
  using tcp = listen();
  assertThrows(
    () => proxied(tcp, { trust: ["nonsense"] }),
    TypeError,
    "trust[0]",
  );
  assertThrows(
    () => proxied(tcp, { trust: [], maxPending: 0 }),
    RangeError,
    "maxPending",
  );
  const misspelt = { trust: [], timout: 100 };
  assertThrows(
    () => proxied(tcp, misspelt),
    TypeError,
    'Cannot read options: unknown option "timout"',
  );
});

Deno.test("proxied() lets a good connection pass silent and bad ones", async () => {
  await withListener({}, async (listener, rejects) => {
    const accepted = listener.accept();
    const others: Deno.TcpConn[] = [await dial(listener)];
    for (let i = 0; i < 50; i++) {
      others.push(await dial(listener, "GET / HTTP"));
    }
    using client = await dial(listener, HEADER);
    using conn = await accepted;
    assertEquals(conn.remoteAddr, CLIENT.source);
    for (let i = 0; i < 50; i++) {
      assertEquals(await nextCode(rejects), "signature");
    }
    assertEquals(listener.stats.pending, 1);
    assertEquals(listener.stats.rejected, { signature: 50 });
    for (const other of others) other.close();
    assert(client);
  });
});

Deno.test("proxied() counts LOCAL and direct connections", async () => {
  await withListener({
    trust: [],
    untrusted: "direct",
  }, async (listener) => {
    using client = await dial(listener, HEADER);
    using conn = await listener.accept();
    assertEquals(conn.info, undefined);
    assertEquals(conn.remoteAddr, { ...client.localAddr });
    assertEquals(listener.stats.direct, 1);
  });
  await withListener({}, async (listener) => {
    using client = await dial(listener, encode({ command: "LOCAL" }));
    using conn = await listener.accept();
    assertEquals(conn.remoteAddr, { ...client.localAddr });
    assertEquals(listener.stats.local, 1);
  });
});

Deno.test("proxied() counts a peer that closes without a byte, and does not report it", async () => {
  await withListener({}, async (listener, rejects) => {
    const accepted = listener.accept();
    (await dial(listener)).close();
    using _ = await dial(listener, "nonsense");
    assertEquals(await nextCode(rejects), "signature");
    using _client = await dial(listener, HEADER);
    using _conn = await accepted;
    assertEquals(listener.stats.rejected, { empty: 1, signature: 1 });
  });
});

Deno.test("proxied() rejects who has waited longest over maxPending, and lets the others in", async () => {
  await withListener({ maxPending: 2 }, async (listener, rejects) => {
    const accepted = listener.accept();
    using first = await dial(listener);
    using second = await dial(listener);
    using _third = await dial(listener);
    const { value } = await rejects.next();
    assertEquals(value?.code, "overload");
    assertEquals(value?.hop, { ...first.localAddr });
    assertEquals((await receive(first)).length, 0);
    await send(second, HEADER);
    using conn = await accepted;
    assertEquals(conn.remoteAddr, CLIENT.source);
    assertEquals(listener.stats.pending, 1);
  });
});

Deno.test("proxied() reports a header one byte short at the deadline, and goes on", async () => {
  using timers = holdTimers();
  const tcp = listen();
  const accept = tcp.accept.bind(tcp);
  const { promise: asked, resolve } = Promise.withResolvers<void>();
  tcp.accept = async () => {
    const conn = await accept();
    untilAskedAfter(HEADER.length - 1, conn).then(resolve);
    return conn;
  };
  await withListener({ timeout: 50 }, async (listener, rejects) => {
    const accepted = listener.accept();
    using short = await dial(listener, HEADER.subarray(0, -1));
    await asked;
    timers.fire();
    const { value } = await rejects.next();
    assertEquals(value?.code, "timeout");
    assertEquals(value?.received, HEADER.slice(0, -1));
    assertEquals((await receive(short)).length, 0);
    using _client = await dial(listener, HEADER);
    using _conn = await accepted;
    assertEquals(listener.stats.rejected, { timeout: 1 });
  }, tcp);
});

const MISTAKES = {
  throws: () => {
    throw new Error("observer");
  },
  rejects: () => Promise.reject(new Error("observer")),
};

for (const [fails, onReject] of Object.entries(MISTAKES)) {
  Deno.test(`proxied() survives an observer that ${fails}`, async () => {
    const listener = proxied(listen(), { trust: TRUST, onReject });
    const accepted = listener.accept();
    using bad = await dial(listener, "nonsense");
    assertEquals((await receive(bad)).length, 0);
    using _client = await dial(listener, HEADER);
    using _conn = await accepted;
    listener.close();
  });
}

Deno.test("proxied() goes on after a failure of the system, and reports it", async () => {
  const tcp = listen();
  let failures = 3;
  const flaky: Deno.TcpListener = Object.create(tcp, {
    accept: {
      value: () =>
        failures-- > 0
          ? Promise.reject(new Error("Too many open files"))
          : tcp.accept(),
    },
    close: { value: () => tcp.close() },
    addr: { value: tcp.addr },
  });
  const codes: string[] = [];
  const listener = proxied(flaky, {
    trust: TRUST,
    onReject: ({ code, message }) => codes.push(`${code}: ${message}`),
  });
  using _client = await dial(listener, HEADER);
  using conn = await listener.accept();
  assertEquals(conn.remoteAddr, CLIENT.source);
  assertEquals(codes.length, 3);
  assert(codes.every((text) => text.includes("Too many open files")));
  listener.close();
});

Deno.test("proxied() closes and reports a connection that does not say its peer", async () => {
  const tcp = listen();
  let nameless = 1;
  const custom: Deno.TcpListener = Object.create(tcp, {
    accept: {
      value: async () => {
        const conn = await tcp.accept();
        return nameless-- > 0
          ? Object.defineProperty(conn, "remoteAddr", {
            get() {
              throw new Error("No peer");
            },
          })
          : conn;
      },
    },
    close: { value: () => tcp.close() },
    addr: { value: tcp.addr },
  });
  const messages: string[] = [];
  const listener = proxied(custom, {
    trust: TRUST,
    onReject: ({ code, message }) => messages.push(`${code}: ${message}`),
  });
  const accepted = listener.accept();
  using bad = await dial(listener);
  assertEquals((await receive(bad)).length, 0);
  using _good = await dial(listener, HEADER);
  using conn = await accepted;
  assertEquals(conn.remoteAddr, CLIENT.source);
  assertEquals(messages, ["io: Cannot accept the connection: No peer"]);
  assertEquals(listener.stats.pending, 0);
  listener.close();
});

Deno.test("close() of a proxied listener ends waiting, pending and untaken connections", async () => {
  await withListener({}, async (listener, rejects) => {
    const first = listener.accept();
    using pending = await dial(listener);
    using client = await dial(listener, HEADER);
    using _conn = await first;
    const waiting = listener.accept();
    using untaken = await dial(listener, HEADER);
    using taken = await waiting;
    assert(taken && untaken && client);
    const last = listener.accept();
    listener.close();
    await assertRejects(() => last);
    assertEquals(await nextCode(rejects), "aborted");
    assertEquals((await receive(pending)).length, 0);
    await assertRejects(() => listener.accept());
    listener.close();
  });
});

Deno.test("a listener that is closed beneath its proxied one closes what is pending", async () => {
  const tcp = listen();
  const listener = proxied(tcp, { trust: TRUST, timeout: 60_000 });
  const waiting = listener.accept();
  using pending = await dial(listener);
  await pendingCount(listener, 1);
  tcp.close();
  await assertRejects(() => waiting);
  assertEquals((await within(receive(pending), "the end")).length, 0);
});

Deno.test("close() of a proxied listener closes who is let in at that very moment", async () => {
  const tcp = listen();
  const accept = tcp.accept.bind(tcp);
  tcp.accept = async () => {
    const conn = await accept();
    const { localAddr } = conn;
    return Object.defineProperty(conn, "localAddr", {
      get: () => (listener.close(), localAddr), // asked for when the header is in
    });
  };
  const listener = proxied(tcp, { trust: TRUST });
  const waiting = listener.accept();
  using client = await dial(listener, encode({ command: "LOCAL" }));
  await assertRejects(() => waiting);
  assertEquals((await within(receive(client), "the end")).length, 0);
});

Deno.test("a signal closes a proxied listener", async () => {
  const controller = new AbortController();
  const listener = proxied(listen(), {
    trust: TRUST,
    signal: controller.signal,
  });
  const waiting = listener.accept();
  controller.abort();
  await assertRejects(() => waiting);
  const closed = proxied(listen(), { trust: TRUST, signal: controller.signal });
  await assertRejects(() => closed.accept());
});

/** Three peers that say nothing more, once they have been counted. */
async function pendingPeers(
  listener: ProxiedListener<Deno.TcpConn, Deno.NetAddr>,
): Promise<Deno.TcpConn[]> {
  const peers: Deno.TcpConn[] = [];
  for (let count = 1; count <= 3; count++) {
    peers.push(await dial(listener, HEADER.subarray(0, 10)));
    await pendingCount(listener, count);
  }
  return peers;
}

Deno.test("a signal closes the pending connections of a listener", async () => {
  const controller = new AbortController();
  const codes: string[] = [];
  const listener = proxied(listen(), {
    trust: TRUST,
    timeout: Infinity,
    signal: controller.signal,
    onReject: ({ code }) => codes.push(code),
  });
  const waiting = listener.accept();
  const peers = await pendingPeers(listener);
  controller.abort();
  await assertRejects(() => waiting);
  for (const peer of peers) {
    assertEquals((await within(receive(peer), "the end")).length, 0);
    peer.close();
  }
  assertEquals(codes, ["aborted", "aborted", "aborted"]);
  assertEquals(listener.stats.pending, 0);
});

Deno.test("a listener that is closed where a refusal is told tells each once", async () => {
  using timers = holdTimers();
  const codes: string[] = [];
  const { promise: over, resolve } = Promise.withResolvers<void>();
  const listener = proxied(listen(), {
    trust: TRUST,
    timeout: 500, // which the test itself lets pass
    onReject: ({ code }) => {
      if (codes.push(code) === 3) resolve();
      listener.close();
    },
  });
  const waiting = listener.accept();
  const peers = await pendingPeers(listener);
  timers.fire();
  await assertRejects(() => waiting);
  await within(over, "three refusals");
  for (const peer of peers) {
    assertEquals((await within(receive(peer), "the end")).length, 0);
    peer.close();
  }
  assertEquals(codes.length, 3);
  assertEquals(listener.stats.pending, 0);
});

Deno.test("proxied() refuses a direct peer that comes with the signal", async () => {
  const controller = new AbortController();
  const { promise: rejected, resolve } = Promise.withResolvers<string>();
  const tcp = listen();
  const accept = tcp.accept.bind(tcp);
  tcp.accept = async () => {
    const conn = await accept();
    controller.abort();
    return conn;
  };
  const listener = proxied(tcp, {
    trust: [],
    untrusted: "direct",
    signal: controller.signal,
    onReject: ({ code }) => resolve(code),
  });
  const waiting = listener.accept();
  using client = await dial(listener);
  await assertRejects(() => waiting);
  assertEquals((await receive(client)).length, 0);
  assertEquals(await rejected, "aborted");
  assertEquals(listener.stats.accepted, 0);
});

Deno.test("a loop over a proxied listener ends when it is closed", async () => {
  const listener = proxied(listen(), { trust: TRUST });
  const hops: number[] = [];
  const loop = (async () => {
    for await (const conn of listener) {
      hops.push(conn.hopAddr.transport === "tcp" ? 1 : 0);
      conn.close();
      if (hops.length === 3) listener.close();
    }
  })();
  for (let i = 0; i < 3; i++) (await dial(listener, HEADER)).close();
  await loop;
  assertEquals(hops, [1, 1, 1]);
});

Deno.test("leaving a loop over a proxied listener closes it", async () => {
  const listener = proxied(listen(), { trust: TRUST });
  using _client = await dial(listener, HEADER);
  for await (const conn of listener) {
    conn.close();
    break;
  }
  await assertRejects(() => listener.accept());
});

Deno.test("proxied() idles past its timeout after a good header", async () => {
  using timers = holdTimers();
  await withListener({ timeout: 30 }, async (listener, rejects) => {
    using client = await dial(listener, HEADER);
    using conn = await listener.accept();
    // A second peer runs into the same deadline, so it has passed for the first.
    const accepted = listener.accept();
    using _late = await dial(listener);
    await pendingCount(listener, 1);
    timers.fire(); // that of the first, which finds the second
    timers.fire();
    assertEquals(await nextCode(rejects), "timeout");
    await send(client, "x");
    assertEquals(await conn.read(new Uint8Array(1)), 1);
    listener.close();
    await assertRejects(() => accepted);
  });
});

Deno.test("proxied() takes UNIX and TLS listeners", async () => {
  const directory = await Deno.makeTempDir();
  const unix = proxied(
    Deno.listen({ transport: "unix", path: `${directory}/s` }),
    { trust: ["unix"] },
  );
  const client = await Deno.connect({
    transport: "unix",
    path: `${directory}/s`,
  });
  await send(client, HEADER);
  using conn = await unix.accept();
  assertEquals(conn.remoteAddr, CLIENT.source);
  client.close();
  unix.close();
  await Deno.remove(directory, { recursive: true });

  const pem = (name: string) =>
    Deno.readTextFileSync(new URL(`../data/${name}.pem`, import.meta.url));
  const tls = proxied(
    Deno.listenTls({
      hostname: "127.0.0.1",
      port: 0,
      cert: pem("cert"),
      key: pem("key"),
    }),
    { trust: TRUST },
  );
  const accepted = tls.accept();
  using secure = await Deno.connectTls({
    hostname: "127.0.0.1",
    port: tls.addr.port,
    caCerts: [pem("cert")],
  });
  await send(secure, HEADER);
  using behind = await accepted;
  assertEquals(behind.remoteAddr, CLIENT.source);
  tls.close();
});

Deno.test("accept() takes a pair of streams, exactly where they are byte streams", async () => {
  using tcp = listen();
  using client = await dial(tcp, HEADER);
  await send(client, "payload");
  const native = await tcp.accept();
  const socket = {
    readable: native.readable,
    writable: native.writable,
    opened: Promise.resolve({
      remoteAddress: "127.0.0.1:4000",
      localAddress: "[::1]:5000",
    }),
  };
  const { conn } = await accept(socket, { trust: TRUST });
  assertEquals(conn.hopAddr, {
    transport: "tcp",
    hostname: "127.0.0.1",
    port: 4000,
  });
  assertEquals(conn.remoteAddr, CLIENT.source);
  const reader = socket.readable.getReader();
  const { value } = await reader.read();
  assertEquals(new TextDecoder().decode(value), "payload");
  reader.releaseLock();
  conn.close();
});

Deno.test("accept() delivers first what a stream without BYOB gave too much", async () => {
  const chunks = new TransformStream<Uint8Array, Uint8Array>();
  const back = new TransformStream<Uint8Array, Uint8Array>();
  const writer = chunks.writable.getWriter();
  writer.write(Uint8Array.of(...HEADER, 1, 2, 3));
  const { conn, info } = await accept(
    { readable: chunks.readable, writable: back.writable },
    { trust: "any" },
  );
  assertEquals(info?.source, CLIENT.source);
  const buffer = new Uint8Array(2);
  assertEquals(await conn.read(buffer), 2);
  assertEquals(buffer, Uint8Array.of(1, 2));
  const reader = conn.getReader();
  assertEquals((await reader.read()).value, Uint8Array.of(3));
  const replying = conn.write(Uint8Array.of(9));
  assertEquals(
    (await back.readable.getReader().read()).value,
    Uint8Array.of(9),
  );
  assertEquals(await replying, 1);
  writer.close();
  assertEquals((await reader.read()).done, true);
  conn.close();
});
