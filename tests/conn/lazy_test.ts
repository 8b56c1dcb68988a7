/** Servers that speak first behind a balancer that holds the header back. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { accept, proxied, ProxyProtocolError, relay } from "../../mod.ts";
import { ascii, BLOCK4, v2 } from "../codec/_hex.ts";
import { utf8 } from "../_bytes.ts";
import { within } from "../_within.ts";
import { listen } from "./_peers.ts";
import { receive, receiveAll, send, tcpPair, TRUST } from "./_loopback.ts";

const GREETING = utf8("220 mail.example ESMTP\r\n");
const HELLO = utf8("EHLO client.example\r\n");
const CLIENT = { transport: "tcp", hostname: "192.0.2.1", port: 56324 };
const HEADERS = [
  ascii("PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\r\n"),
  v2("2111", BLOCK4),
];
const LAZY = { trust: TRUST, lazy: true } as const;

for (const header of HEADERS) {
  Deno.test(`accept() with lazy lets the server speak before the ${header.length} bytes of the header`, async () => {
    using pair = await tcpPair();
    const hop = { ...pair.server.remoteAddr };
    const { info, conn } = await accept(pair.server, LAZY);
    assertEquals([info, conn.info, conn.remoteAddr], [
      undefined,
      undefined,
      hop,
    ]);
    await conn.write(GREETING);
    assertEquals(await receive(pair.client, GREETING.length), GREETING);
    const reading = receive(conn, HELLO.length);
    await send(pair.client, header);
    await send(pair.client, HELLO);
    assertEquals(await within(conn.ready, "the header"), conn.info);
    assertEquals(conn.info?.raw, header);
    assertEquals([conn.remoteAddr, conn.hopAddr], [CLIENT, hop]);
    assertEquals(pair.server.remoteAddr, CLIENT);
    assertEquals(await reading, HELLO);
    conn.close();
  });
}

Deno.test("accept() with lazy reads no byte of the payload with the header", async () => {
  for (const header of HEADERS) {
    using pair = await tcpPair();
    const { conn } = await accept(pair.server, LAZY);
    for (const byte of header) await send(pair.client, Uint8Array.of(byte));
    await send(pair.client, HELLO);
    await pair.client.closeWrite();
    await conn.ready;
    const { value } = await conn.getReader().read();
    assertEquals(value, HELLO);
    conn.close();
  }
});

Deno.test("accept() with lazy tells whoever reads or waits why a header is refused, and closes", async () => {
  using pair = await tcpPair();
  const { conn } = await accept(pair.server, LAZY);
  await conn.write(GREETING);
  const reading = conn.read(new Uint8Array(1));
  await send(pair.client, HELLO);
  for (const waiting of [reading, conn.ready, conn.getReader().read()]) {
    const error = await assertRejects(() => waiting, ProxyProtocolError);
    assertEquals([error.code, error.offset], ["signature", 0]);
    assertEquals(error.hop, conn.hopAddr);
  }
  assertEquals(conn.info, undefined);
  assertEquals(await receiveAll(pair.client), GREETING);
});

Deno.test("accept() with lazy keeps the deadline of the header", async () => {
  using pair = await tcpPair();
  const { conn } = await accept(pair.server, { ...LAZY, timeout: 20 });
  const error = await assertRejects(() => conn.ready, ProxyProtocolError);
  assertEquals(error.code, "timeout");
});

Deno.test("accept() with lazy keeps its signal until the header is in", async () => {
  using pair = await tcpPair();
  const ending = new AbortController();
  const { signal } = ending;
  const { conn } = await accept(pair.server, { ...LAZY, signal });
  ending.abort();
  const error = await assertRejects(
    () => within(conn.ready, "the abort"),
    ProxyProtocolError,
  );
  assertEquals(error.code, "aborted");
  assertEquals(await receiveAll(pair.client), new Uint8Array());
});

Deno.test("accept() with lazy keeps its signal until verify has answered", async () => {
  using pair = await tcpPair();
  const ending = new AbortController();
  const { promise: asked, resolve } = Promise.withResolvers<void>();
  const { conn } = await accept(pair.server, {
    ...LAZY,
    signal: ending.signal,
    verify: () => {
      resolve();
      return new Promise(() => {});
    },
  });
  await send(pair.client, HEADERS[0] ?? HELLO);
  await within(asked, "verify");
  ending.abort();
  const error = await assertRejects(
    () => within(conn.ready, "the abort"),
    ProxyProtocolError,
  );
  assertEquals(error.code, "aborted");
});

Deno.test("accept() with lazy asks verify before anything is read", async () => {
  using pair = await tcpPair();
  const { conn } = await accept(pair.server, {
    ...LAZY,
    verify: (info, seen) => {
      assertEquals([seen.info, seen.remoteAddr], [info, CLIENT]);
      return false;
    },
  });
  await send(pair.client, HEADERS[0] ?? HELLO);
  await send(pair.client, HELLO);
  const reading = conn.read(new Uint8Array(1));
  const error = await assertRejects(() => reading, ProxyProtocolError);
  assertEquals(error.code, "verify");
  // What was refused is not to be believed, by a log neither.
  assertEquals([conn.info, conn.remoteAddr], [undefined, conn.hopAddr]);
});

Deno.test("ProxiedConn of lazy shows nothing that verify has not agreed to yet", async () => {
  using pair = await tcpPair();
  const { promise: asked, resolve: ask } = Promise.withResolvers<void>();
  const { promise: answer, resolve: allow } = Promise.withResolvers<boolean>();
  const { conn } = await accept(pair.server, {
    ...LAZY,
    verify: (info, seen) => {
      assertEquals([seen.info, seen.remoteAddr], [info, CLIENT]);
      ask();
      return answer;
    },
  });
  const hop = conn.hopAddr;
  await send(pair.client, HEADERS[0] ?? HELLO);
  await within(asked, "verify");
  assertEquals([conn.info, conn.remoteAddr], [undefined, hop]);
  assertEquals({ ...conn.raw.remoteAddr }, hop);
  allow(true);
  const info = await conn.ready;
  assertEquals([conn.info, conn.remoteAddr], [info, CLIENT]);
  assertEquals(conn.raw.remoteAddr, CLIENT);
  conn.close();
});

Deno.test("accept() with lazy refuses an untrusted peer before it is greeted", async () => {
  using pair = await tcpPair();
  const accepting = accept(pair.server, { ...LAZY, trust: ["192.0.2.0/24"] });
  const error = await assertRejects(() => accepting, ProxyProtocolError);
  assertEquals(error.code, "untrusted");
  assertEquals(await receiveAll(pair.client), new Uint8Array());
});

Deno.test("accept() with lazy waits for no header of a direct peer", async () => {
  using pair = await tcpPair();
  const { conn } = await accept(pair.server, {
    trust: [],
    untrusted: "direct",
    lazy: true,
  });
  assertEquals(await conn.ready, undefined);
  await send(pair.client, HELLO);
  assertEquals(await receive(conn, HELLO.length), HELLO);
  conn.close();
});

Deno.test("ProxiedConn.close() before the header has come is no failure of the peer's", async () => {
  using pair = await tcpPair();
  const { conn } = await accept(pair.server, LAZY);
  conn.close();
  const error = await assertRejects(() => conn.ready, ProxyProtocolError);
  assertEquals(error.code, "aborted");
});

Deno.test("ProxiedConn.ready is there at once without lazy", async () => {
  using pair = await tcpPair();
  await send(pair.client, HEADERS[0] ?? HELLO);
  const { info, conn } = await accept(pair.server, { trust: TRUST });
  assert(info !== undefined);
  assertEquals(await conn.ready, info);
  conn.close();
});

Deno.test("proxied() with lazy counts a connection as pending until its header is in", async () => {
  const rejected: string[] = [];
  const onReject = ({ code }: ProxyProtocolError) => void rejected.push(code);
  using tcp = listen();
  const listener = proxied(tcp, { ...LAZY, maxPending: 2, onReject });
  const dial = async () => {
    const accepted = listener.accept();
    const client = await Deno.connect({ ...tcp.addr, transport: "tcp" });
    return { client, conn: await within(accepted, "a connection") };
  };
  const good = await dial();
  const bad = await dial();
  assertEquals(listener.stats.pending, 2);
  await send(good.client, HEADERS[1] ?? HELLO);
  await send(bad.client, HELLO);
  await good.conn.ready;
  await bad.conn.ready.catch(() => {});
  const { pending, accepted, rejected: counted } = listener.stats;
  assertEquals([pending, accepted, counted], [0, 1, { signature: 1 }]);
  assertEquals(rejected, ["signature"]);
  for (const { client, conn } of [good, bad]) {
    client.close();
    conn.close();
  }
  listener.close();
});

Deno.test("relay() with send waits for the header of a lazy connection, and dials for none that is refused", async () => {
  for (const [first, isGood] of [[HEADERS[1], true], [HELLO, false]] as const) {
    using pair = await tcpPair();
    using upstream = await tcpPair();
    const { conn } = await accept(pair.server, LAZY);
    let dialled = 0;
    const relaying = relay(conn, () => {
      dialled++;
      return Promise.resolve(upstream.client);
    }, { send: 2 });
    assertEquals(dialled, 0);
    await send(pair.client, first ?? HELLO);
    await pair.client.closeWrite();
    if (isGood) {
      assertEquals(await receiveAll(upstream.server), HEADERS[1]);
      await upstream.server.closeWrite();
    }
    const { error } = await within(relaying, "the relay");
    assertEquals([dialled, error === undefined], [isGood ? 1 : 0, isGood]);
  }
});
