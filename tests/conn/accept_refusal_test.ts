/** What becomes of a connection that `accept` refuses. */

import { assert, assertEquals } from "@std/assert";
import { accept, formatAddress, ProxyProtocolError } from "../../mod.ts";
import { ascii, BLOCK4, hex, SIGNATURE_HEX, tlv, v2 } from "../codec/_hex.ts";
import { assertBytes, utf8 } from "../_bytes.ts";
import {
  assertClosed,
  assertRefused,
  CARRIERS,
  countCloses,
  loopback,
  pairOver,
  receive,
  send,
  sendInParts,
  singly,
  tcpPair,
  TRUST,
} from "./_loopback.ts";
import net from "node:net";

const LINE = ascii("PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\r\n");
const V2 = v2("2111", BLOCK4);
const LOCAL = v2("2000", "");

/** Malformed headers: the byte where it shows, and why. */
const MALFORMED = [
  { bytes: utf8("GET / HTTP/1.1\r\n"), code: "signature", offset: 0 },
  { bytes: ascii("PROXY TCP5 ::1 ::1 "), code: "family", offset: 9 },
  { bytes: ascii("PROXY TCP4 192.0.2.256 "), code: "address", offset: 21 },
  { bytes: hex(SIGNATURE_HEX + "3111000c"), code: "version", offset: 12 },
  { bytes: hex(SIGNATURE_HEX + "2211000c"), code: "command", offset: 12 },
  { bytes: hex(SIGNATURE_HEX + "2141000c"), code: "family", offset: 13 },
  { bytes: hex(SIGNATURE_HEX + "2111ffff"), code: "length", offset: 14 },
  {
    bytes: v2("2111", BLOCK4 + tlv("03", "00000000")),
    code: "checksum",
    offset: 31,
  },
] as const;

for (const carrier of CARRIERS) {
  Deno.test(`accept() closes a connection over ${carrier} once and says where the header is wrong, and whose it was`, async () => {
    for (const { bytes, code, offset } of MALFORMED) {
      using pair = await pairOver(carrier);
      const { remoteAddr } = pair.server;
      const counts = countCloses(pair.server);
      await send(pair.client, bytes);
      const accepting = accept(pair.server, { trust: TRUST });
      const error = await assertRefused(accepting, code);
      assertEquals(error.offset, offset);
      assertEquals(
        error.hop,
        remoteAddr.transport === "tcp"
          ? { ...remoteAddr }
          : { transport: "unix", path: "" },
      );
      const { length } = error.received;
      assert(length > 0);
      assertEquals(error.received, bytes.subarray(0, length));
      assertEquals(counts.closes, 1);
      await assertClosed(pair.client);
    }
  });

  Deno.test(`accept() reports a peer over ${carrier} that closes without a byte as empty`, async () => {
    using pair = await pairOver(carrier);
    const counts = countCloses(pair.server);
    await pair.client.closeWrite();
    const accepting = accept(pair.server, { trust: TRUST });
    const error = await assertRefused(accepting, "empty");
    assertEquals(error.received, new Uint8Array());
    assertEquals(error.offset, 0);
    assert(error.hop !== undefined);
    assertEquals(counts.closes, 1);
    await assertClosed(pair.client);
  });

  Deno.test(`accept() reports a header over ${carrier} that ends at any byte as incomplete`, async () => {
    using listening = loopback(carrier);
    for (const header of [LINE, V2]) {
      const step = carrier === "tls" ? 13 : 1;
      for (let at = 1; at < header.length; at += step) {
        using pair = await listening.pair();
        await send(pair.client, header.subarray(0, at));
        await pair.client.closeWrite();
        const accepting = accept(pair.server, { trust: TRUST });
        const error = await assertRefused(accepting, "incomplete");
        assertEquals(error.received, header.subarray(0, at));
        assertEquals(error.offset, at);
        await assertClosed(pair.client);
      }
    }
  });
}

Deno.test("accept() refuses at the first byte that cannot be of a header, without waiting for the rest", async () => {
  for (const { bytes, code } of MALFORMED) {
    using pair = await tcpPair();
    const counts = sendInParts(pair, singly(bytes));
    await assertRefused(accept(pair.server, { trust: TRUST }), code);
    if (code === "signature") assertEquals(counts.taken, 1);
  }
});

Deno.test("accept() keeps the first 128 bytes of a long header that it refuses", async () => {
  const bytes = v2(
    "2111",
    BLOCK4 + tlv("03", "00000000") + tlv("04", "00".repeat(300)),
  );
  using pair = await tcpPair();
  await send(pair.client, bytes);
  const accepting = accept(pair.server, { trust: TRUST });
  const error = await assertRefused(accepting, "checksum");
  assertEquals(error.received, bytes.subarray(0, 128));
});

Deno.test("accept() reports a connection that is reset in the middle of the header", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  // Deno has no way to reset a connection of its own.
  const socket = net.connect(listener.addr.port, "127.0.0.1");
  using server = await listener.accept();
  const hop = { ...server.remoteAddr };
  const counts = countCloses(server);
  const read = server.read.bind(server);
  const begun = LINE.subarray(0, 20);
  let reads = 0;
  server.read = (p) => {
    const reading = read(p);
    if (++reads === 3) socket.resetAndDestroy(); // 15 and 5 bytes came before
    return reading;
  };
  socket.write(begun);
  const error = await assertRefused(accept(server, { trust: TRUST }), "io");
  assert(error.cause instanceof Deno.errors.ConnectionReset);
  assertEquals(error.hop, hop);
  assertEquals(error.received, begun);
  assertEquals(counts.closes, 1);
});

Deno.test("accept() reports a peer that resets without a byte as empty, as one that closes", async () => {
  // Probes end so in order to leave no TIME_WAIT behind.
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  using conn = await Deno.connect({ hostname: "127.0.0.1", port });
  const accepting = accept(conn, { trust: TRUST });
  listener.close(); // resets the connection, which nobody has taken
  const error = await assertRefused(accepting, "empty");
  assertEquals(error.received, new Uint8Array());
});

Deno.test("accept() reports a connection that its user closes in the middle of the header", async () => {
  using pair = await tcpPair();
  const accepting = accept(pair.server, { trust: TRUST });
  pair.server.close();
  const error = await assertRefused(accepting, "io");
  assert(error.cause instanceof Error);
  await assertClosed(pair.client);
});

Deno.test("accept() leaves the addresses of a refused connection as they were", async () => {
  using pair = await tcpPair();
  const { remoteAddr } = pair.server;
  await send(pair.client, utf8("GET / HTTP/1.1\r\n"));
  await assertRefused(accept(pair.server, { trust: TRUST }), "signature");
  assertEquals({ ...pair.server.remoteAddr }, { ...remoteAddr });
});

Deno.test("accept() of one connection goes on when another is refused", async () => {
  using listening = loopback("tcp");
  using bad = await listening.pair();
  using good = await listening.pair();
  const accepting = accept(good.server, { trust: TRUST });
  await send(bad.client, utf8("GET / HTTP/1.1\r\n"));
  await assertRefused(accept(bad.server, { trust: TRUST }), "signature");
  await send(good.client, LINE);
  const { conn } = await accepting;
  await send(good.client, utf8("hello"));
  assertBytes(await receive(conn, 5), utf8("hello"));
});

/** What a connection that is not the runtime's own may throw at, and at which time. */
const FAULTS = [
  { name: "does not say its peer", property: "remoteAddr", time: 1 },
  { name: "does not say its own end", property: "localAddr", time: 1 },
  { name: "throws where it is read", property: "read", time: 1 },
  { name: "throws where it is read on", property: "read", time: 2 },
] as const;

for (const { name, property, time } of FAULTS) {
  Deno.test(`accept() closes a connection that ${name}`, async () => {
    using pair = await tcpPair();
    const { server } = pair;
    const value: unknown = Reflect.get(server, property);
    let times = 0;
    Object.defineProperty(server, property, {
      get() {
        if (++times < time) return value;
        throw new Error("No such thing");
      },
    });
    await send(pair.client, LOCAL);
    const accepting = accept(server, { trust: TRUST });
    const { message, hop } = await assertRefused(accepting, "io");
    const from = hop === undefined ? "" : ` from ${formatAddress(hop)}`;
    assertEquals(message, `Cannot accept the connection${from}: No such thing`);
    await assertClosed(pair.client);
  });
}

Deno.test("accept() closes a connection that cannot be made to show the client", async () => {
  for (const lazy of [false, true]) {
    using pair = await tcpPair();
    Object.freeze(pair.server);
    await send(pair.client, LINE);
    const accepting = accept(pair.server, { trust: TRUST, lazy });
    if (lazy) await accepting;
    else await assertRefused(accepting, "io");
    await assertClosed(pair.client);
  }
});

for (const carrier of CARRIERS) {
  Deno.test(`accept() names the peer in what it says of it over ${carrier}`, async () => {
    using pair = await pairOver(carrier);
    await send(pair.client, ascii("GET / HTTP/1.1\r\n\r\n"));
    const accepting = accept(pair.server, { trust: TRUST });
    const error = await assertRefused(accepting, "signature");
    const from = error.hop?.port === undefined
      ? "a UNIX socket"
      : `127.0.0.1:${error.hop.port}`;
    assertEquals(
      error.message,
      `No PROXY header from ${from}: received "GET / HTTP/1.1" (an HTTP request)`,
    );
    assertEquals(error.hint, "an HTTP request");
    // It is what the runtimes print.
    assertEquals(error.stack, `${error.name}: ${error.message}`);
  });
}

Deno.test("accept() passes on what verify throws as it was thrown", async () => {
  using pair = await tcpPair();
  await send(pair.client, LINE);
  const own = new ProxyProtocolError("Not today: closed", "verify");
  const accepting = accept(pair.server, {
    trust: TRUST,
    verify: () => {
      throw own;
    },
  });
  const error = await assertRefused(accepting, "verify");
  assert(error === own);
  assertEquals(error.message, "Not today: closed");
  assertEquals(error.hop?.hostname, "127.0.0.1");
});
