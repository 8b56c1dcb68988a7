import { assertEquals, assertStrictEquals } from "@std/assert";
import { concat } from "@std/bytes";
import { accept, type Address, decode } from "../../mod.ts";
import { CAPTURES } from "../codec/_captures.ts";
import type { Vector } from "../codec/_facts.ts";
import { ascii, BLOCK4, tlv, v2 } from "../codec/_hex.ts";
import { assertBytes, pattern, utf8 } from "../_bytes.ts";
import {
  assertRefused,
  type Carrier,
  CARRIERS,
  CERT,
  forEachAtOnce,
  KEY,
  loopback,
  type Pair,
  pairOver,
  receive,
  receiveAll,
  send,
  sendInParts,
  singly,
  tcpPair,
  TRUST,
} from "./_loopback.ts";
import { once } from "node:events";
import net from "node:net";
import tls from "node:tls";

const LINE = ascii("PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\r\n");
const CLIENT: Address = {
  transport: "tcp",
  hostname: "192.0.2.1",
  port: 56324,
};
const DIALLED: Address = {
  transport: "tcp",
  hostname: "198.51.100.1",
  port: 443,
};
const PAYLOAD = utf8("EHLO client.example\r\n");

/** Splits at each byte of a header, those of a long one at its ends and at some between. */
function* splits(length: number): Generator<number> {
  for (let at = 1; at < length; at++) {
    if (length <= 64 || at < 32 || at % 16 === 0 || at > length - 8) yield at;
  }
}

/** All of them over TCP; elsewhere the ends, and around the signature. */
function splitsOver(carrier: Carrier, length: number): Iterable<number> {
  return carrier === "tcp" ? splits(length) : [1, 12, 13, length - 1];
}

/** An end as `accept` shows it: a UNIX client has no path. */
function shown(native: Deno.Addr): Address {
  if ("hostname" in native) return { ...native };
  if (!("path" in native)) throw new Error("None of these carriers");
  return { ...native, path: native.path ?? "" };
}

/** The header and payload of a capture arrive in parts, and all is as it should be. */
async function checkCapture(
  { bytes: header, options = {}, expected, payload = PAYLOAD }: Vector,
  pair: Pair,
  parts: Iterable<Uint8Array>,
): Promise<void> {
  const hop = shown(pair.server.remoteAddr);
  const local = shown(pair.server.localAddr);
  const counts = sendInParts(pair, parts);
  const { info, conn } = await accept(pair.server, {
    trust: TRUST,
    ...options,
  });
  assertEquals(counts.taken, header.length, "reads the header, no byte more");
  assertEquals(conn.hopAddr, hop);
  assertEquals(conn.remoteAddr, expected.source ?? hop);
  assertEquals(conn.localAddr, expected.destination ?? local);
  assertStrictEquals(conn.info, info);
  assertEquals(info, decode(header, options));
  assertBytes(await receive(conn, payload.length), payload);
}

for (const carrier of CARRIERS) {
  Deno.test(`accept() takes every captured header over ${carrier}, split at each byte`, async () => {
    using listening = loopback(carrier);
    const cuts = CAPTURES.flatMap((capture) =>
      [...splitsOver(carrier, capture.bytes.length)]
        .map((at) => ({ capture, at }))
    );
    await forEachAtOnce(cuts, async ({ capture, at }) => {
      using pair = await listening.pair();
      const { bytes, payload = PAYLOAD } = capture;
      await checkCapture(capture, pair, [
        bytes.subarray(0, at),
        concat([bytes.subarray(at), payload]),
      ]);
    });
  });

  Deno.test(`accept() takes every captured header over ${carrier}, glued to its payload`, async () => {
    using listening = loopback(carrier);
    await forEachAtOnce(CAPTURES, async (capture) => {
      using pair = await listening.pair();
      const { bytes, payload = PAYLOAD } = capture;
      await checkCapture(capture, pair, [concat([bytes, payload])]);
    });
  });

  Deno.test(`accept() takes every captured header over ${carrier}, one byte at a time`, async () => {
    using listening = loopback(carrier);
    await forEachAtOnce(CAPTURES, async (capture) => {
      using pair = await listening.pair();
      const { bytes, payload = PAYLOAD } = capture;
      await checkCapture(capture, pair, singly(concat([bytes, payload])));
    });
  });

  Deno.test(`accept() resolves at the last byte of a header over ${carrier}, without payload`, async () => {
    using listening = loopback(carrier);
    await forEachAtOnce(CAPTURES, async ({ bytes, options }) => {
      using pair = await listening.pair();
      await send(pair.client, bytes);
      // The peer stays silent: to wait for one byte more would end in a timeout.
      const { info, conn } = await accept(pair.server, {
        trust: TRUST,
        ...options,
      });
      assertEquals(info?.raw, bytes);
      // A server that speaks first is heard.
      await send(conn, utf8("220"));
      assertBytes(await receive(pair.client, 3), utf8("220"));
    });
  });

  Deno.test(`accept() leaves the payload over ${carrier} as it is, up to 1 MiB`, async () => {
    using listening = loopback(carrier);
    for (const length of [0, 1, 65535, 65536, 65537, 1 << 20]) {
      using pair = await listening.pair();
      const payload = pattern(length);
      const sending = send(pair.client, concat([LINE, payload]))
        .then(() => pair.client.closeWrite());
      const { conn } = await accept(pair.server, { trust: TRUST });
      assertBytes(await receiveAll(conn), payload);
      await sending;
    }
  });

  Deno.test(`accept() shows the real ends over ${carrier} for LOCAL, UNKNOWN and UNSPEC`, async () => {
    using listening = loopback(carrier);
    const headers: [name: string, header: Uint8Array][] = [
      ["LOCAL", v2("2000")],
      ["LOCAL with addresses", v2("2011", BLOCK4)],
      ["UNKNOWN", ascii("PROXY UNKNOWN\r\n")],
      ["UNKNOWN with addresses", ascii("PROXY UNKNOWN ::1 ::2 3 4\r\n")],
      ["UNSPEC family", v2("2100")],
      ["UNSPEC family, STREAM", v2("2101")],
      ["UNSPEC transport", v2("2110", BLOCK4)],
    ];
    for (const [name, header] of headers) {
      using pair = await listening.pair();
      const { server } = pair;
      const { remoteAddr, localAddr } = server;
      await send(pair.client, header);
      const { info, conn } = await accept(server, { trust: TRUST });
      assertEquals(info?.raw, header, name);
      assertEquals(conn.remoteAddr, shown(remoteAddr), name);
      assertEquals(conn.localAddr, shown(localAddr), name);
      assertEquals(conn.hopAddr, shown(remoteAddr), name);
      assertEquals(server.remoteAddr, remoteAddr, name);
      assertEquals(server.localAddr, localAddr, name);
    }
  });

  Deno.test(`accept() gives the native connection over ${carrier} as raw, right behind the header`, async () => {
    using listening = loopback(carrier);
    for (const header of [LINE, v2("2111", BLOCK4 + tlv("04", "0000"))]) {
      using pair = await listening.pair();
      await send(pair.client, concat([header, PAYLOAD]));
      const { conn } = await accept(pair.server, { trust: TRUST });
      assertStrictEquals(conn.raw, pair.server);
      assertEquals(shown(conn.raw.remoteAddr), CLIENT);
      assertEquals(shown(conn.raw.localAddr), DIALLED);
      assertBytes(await receive(conn.raw, 1), PAYLOAD.subarray(0, 1));
      await pair.client.closeWrite();
      const rest = await new Response(conn.raw.readable).bytes();
      assertBytes(rest, PAYLOAD.subarray(1));
    }
  });

  Deno.test(`accept() shows a client of UDP and of UNIX over ${carrier}`, async () => {
    const datagram = CAPTURES.find(({ name }) => name.includes("kdig-udp"));
    const unix = CAPTURES.find(({ name }) => name.includes("v2-unix"));
    for (const capture of [datagram, unix]) {
      using pair = await pairOver(carrier);
      assertEquals(typeof capture?.expected.source, "object");
      await send(pair.client, capture?.bytes ?? new Uint8Array());
      const { conn } = await accept(pair.server, { trust: TRUST });
      assertEquals(conn.remoteAddr, capture?.expected.source);
      assertEquals(conn.localAddr, capture?.expected.destination);
    }
  });
}

Deno.test("accept() passes unmap to the codec", async () => {
  const line = ascii("PROXY TCP6 ::ffff:192.0.2.1 ::ffff:192.0.2.2 1 2\r\n");
  for (const unmap of [true, false]) {
    using pair = await tcpPair();
    await send(pair.client, line);
    const { conn } = await accept(pair.server, { trust: TRUST, unmap });
    const hostname = unmap ? "192.0.2.1" : "::ffff:192.0.2.1";
    assertEquals(conn.remoteAddr, { transport: "tcp", hostname, port: 1 });
    assertEquals(conn.info?.family, unmap ? "INET" : "INET6");
  }
});

Deno.test("accept() takes a mixed TCP6 line only with mixedTcp6", async () => {
  const line = ascii("PROXY TCP6 2001:db8::1 127.0.0.1 1111 25\r\n");
  using strict = await tcpPair();
  await send(strict.client, line);
  await assertRefused(accept(strict.server, { trust: TRUST }), "address");
  using lenient = await tcpPair();
  await send(lenient.client, line);
  const { conn } = await accept(lenient.server, {
    trust: TRUST,
    mixedTcp6: true,
  });
  assertEquals(conn.localAddr, {
    transport: "tcp",
    hostname: "127.0.0.1",
    port: 25,
  });
});

Deno.test("accept() passes versions, maxLength, checksum and tlvs to the codec", async () => {
  const badChecksum = v2("2111", BLOCK4 + tlv("03", "00000000"));
  const stray = v2("2111", BLOCK4 + "04");
  const cases = [
    { header: LINE, option: { versions: [2] }, code: "version" },
    { header: v2("2111", BLOCK4), option: { maxLength: 27 }, code: "length" },
    { header: badChecksum, option: {}, code: "checksum" },
    { header: badChecksum, option: { checksum: "ignore" } },
    { header: stray, option: {}, code: "tlv" },
    { header: stray, option: { tlvs: "lenient" } },
  ] as const;
  for (const { header, option, ...refused } of cases) {
    using pair = await tcpPair();
    await send(pair.client, header);
    const accepting = accept(pair.server, { trust: TRUST, ...option });
    if ("code" in refused) await assertRefused(accepting, refused.code);
    else assertEquals((await accepting).conn.remoteAddr, CLIENT);
  }
});

Deno.test("accept() takes each of many connections at once for itself", async () => {
  using listening = loopback("tcp");
  await forEachAtOnce(Array(64).keys(), async (i) => {
    using pair = await listening.pair();
    const line = ascii(`PROXY TCP4 192.0.2.${i} 198.51.100.1 ${i} 443\r\n`);
    sendInParts(pair, singly(concat([line, Uint8Array.of(i)])));
    const { conn } = await accept(pair.server, { trust: TRUST });
    const client = { ...CLIENT, hostname: `192.0.2.${i}`, port: i };
    assertEquals(conn.remoteAddr, client);
    assertBytes(await receive(conn, 1), Uint8Array.of(i));
  });
});

Deno.test("accept() gives a raw connection that Deno.startTls takes", async () => {
  // We dial, the other side sends a header and is then the server of TLS.
  const reply = Promise.withResolvers<string>();
  const server = net.createServer((socket) => {
    socket.write(LINE);
    const secure = new tls.TLSSocket(socket, {
      isServer: true,
      cert: CERT,
      key: KEY,
    });
    secure.on("error", reply.reject);
    secure.once("data", (data: Uint8Array) => {
      reply.resolve(new TextDecoder().decode(data));
      secure.end(PAYLOAD);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" ? address?.port ?? 0 : 0;

  using tcp = await Deno.connect({ hostname: "127.0.0.1", port });
  const { conn } = await accept(tcp, { trust: TRUST });
  using secure = await Deno.startTls(conn.raw, {
    hostname: "localhost",
    caCerts: [CERT],
  });
  await send(secure, utf8("over TLS"));
  assertEquals(await reply.promise, "over TLS");
  assertBytes(await receiveAll(secure), PAYLOAD);
  secure.close();
  server.close();
  await once(server, "close");
});
