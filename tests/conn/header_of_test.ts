/** What is told a backend of a client: by `headerOf()`, for all that is handed out. */

import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  accept,
  type AcceptOptions,
  type ClientHeader,
  DatagramSessions,
  type DatagramSessionsOptions,
  decode,
  encode,
  headerOf,
  type ProxiedConn,
  proxyHop,
  proxyInfo,
  writeHeader,
} from "../../mod.ts";
import { CAPTURES } from "../_captures.ts";
import { ascii, BLOCK4, textHex, tlv, v2 } from "../codec/_hex.ts";
import { within } from "../_within.ts";
import { HEADERS, V2 } from "../on/_headers.ts";
import { receive, send, tcpPair, TRUST, unixLoopback } from "./_loopback.ts";

/** Accepts one connection that begins with `header`. */
async function accepted(
  header: Uint8Array,
  work: (
    conn: ProxiedConn<Deno.TcpConn>,
    real: { remote: Deno.NetAddr; local: Deno.NetAddr },
  ) => unknown,
  options: Partial<AcceptOptions> = {},
): Promise<void> {
  using pair = await tcpPair();
  const real = {
    remote: { ...pair.server.remoteAddr },
    local: { ...pair.server.localAddr },
  };
  const accepting = accept(pair.server, { trust: TRUST, ...options });
  await send(pair.client, header);
  const { conn } = await accepting;
  await work(conn, real);
  conn.close();
}

/** Captured v2 headers that name a client: their order of TLVs is that of real senders. */
const NAMED = CAPTURES.filter(({ header }) => {
  const info = tryDecode(header);
  return info?.version === 2 && info.source !== undefined;
});

function tryDecode(bytes: Uint8Array) {
  try {
    return decode(bytes);
  } catch {
    return undefined;
  }
}

Deno.test("headerOf() tells what real senders told, to the byte", async () => {
  assert(NAMED.length > 20, `${NAMED.length} captures`);
  for (const { id, header } of NAMED) {
    await accepted(header, (conn) => {
      assertEquals(encode(headerOf(conn)), header, id);
    });
  }
});

Deno.test("headerOf() keeps the order and the duplicates of TLVs, and what the caller changes", async () => {
  const [first, second, authority] = [
    tlv("ea", "01"),
    tlv("ea", "02"),
    tlv("02", textHex("example.com")),
  ];
  const header = v2("2111", BLOCK4 + first + authority + second);
  await accepted(header, (conn) => {
    const told = headerOf(conn);
    assertEquals(told.tlvs.AUTHORITY, "example.com");
    assertEquals(encode(told), header);
    const changed = { ...told, tlvs: { ...told.tlvs, AUTHORITY: "b" } };
    assertEquals(
      encode(changed),
      v2("2111", BLOCK4 + first + tlv("02", textHex("b")) + second),
    );
    assertEquals(proxyInfo(conn)?.tlvs.AUTHORITY, "example.com");
  });
});

/** What is told for each kind of header. */
const TOLD: Record<string, string> = {
  "a v1 header": v2("2111", BLOCK4).toHex(),
  "LOCAL": v2("2000").toHex(),
  "UNKNOWN": v2("2000").toHex(),
  "PROXY and UNSPEC": v2("2000").toHex(),
};

for (const [name, { bytes }] of Object.entries(HEADERS)) {
  Deno.test(`headerOf() of ${name}`, async () => {
    await accepted(bytes, async (conn) => {
      const told = TOLD[name] ?? bytes.toHex();
      assertEquals(encode(headerOf(conn)).toHex(), told);
      assertEquals(encode(headerOf(conn.raw)).toHex(), told);
      using pair = await tcpPair();
      await writeHeader(pair.client, headerOf(conn));
      const length = told.length / 2;
      assertEquals((await receive(pair.server, length)).toHex(), told);
    });
  });
}

Deno.test("headerOf() passes on the TLVs of LOCAL, and of PROXY without addresses", async () => {
  const tlvs = tlv("ea", "01") + tlv("ea", "02");
  for (const [command, family] of [["20", "00"], ["21", "00"]]) {
    await accepted(v2(`${command}${family}`, tlvs), (conn) => {
      assertEquals(encode(headerOf(conn)), v2("2000", tlvs));
    });
  }
});

Deno.test("headerOf() writes the version that the sender asks for", async () => {
  await accepted(V2.bytes, (conn) => {
    assertEquals(
      encode(headerOf(conn), { version: 1 }),
      ascii("PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\r\n"),
    );
  });
});

Deno.test("headerOf() tells nothing of a header that was discarded", async () => {
  const header = v2("2111", BLOCK4 + tlv("02", textHex("forged")));
  for (const bytes of [header, v2("2000", tlv("02", textHex("forged")))]) {
    await accepted(bytes, (conn, real) => {
      assertEquals(proxyInfo(conn)?.tlvs.AUTHORITY, "forged");
      const isLocal = conn.info?.command === "LOCAL";
      const told: ClientHeader = isLocal
        ? { command: "LOCAL", tlvs: {} }
        : { source: real.remote, destination: real.local, tlvs: {} };
      for (const from of [conn, conn.raw]) assertEquals(headerOf(from), told);
    }, { header: "discard" });
  }
});

Deno.test("headerOf() of a direct peer has its real addresses", async () => {
  const direct = { trust: "none", untrusted: "direct" } as const;
  await accepted(ascii("hello"), (conn, { remote, local }) => {
    const told = { source: remote, destination: local, tlvs: {} };
    assertEquals(headerOf(conn), told);
    assertEquals(headerOf(conn.raw), told);
  }, direct);
});

Deno.test("headerOf() of a peer without an address is LOCAL", async () => {
  using loopback = unixLoopback();
  using pair = await loopback.pair();
  const direct = { trust: [], untrusted: "direct" } as const;
  const { conn } = await accept(pair.server, direct);
  assertEquals(headerOf(conn), { command: "LOCAL", tlvs: {} });
  conn.close();
});

Deno.test("headerOf() of a session of UDP", () => {
  const hop = { address: "127.0.0.1", port: 5300 };
  const header = v2("2112", BLOCK4 + tlv("ea", "01") + tlv("ea", "02"));
  const rows: [Uint8Array, Partial<DatagramSessionsOptions>, string][] = [
    [header, {}, header.toHex()],
    [v2("2000"), {}, v2("2000").toHex()],
    // Its own end is not known.
    [ascii("hello"), { trust: [], untrusted: "direct" }, v2("2000").toHex()],
  ];
  for (const [bytes, options, told] of rows) {
    const sessions = new DatagramSessions({ trust: "any", ...options });
    const received = sessions.receive(bytes, hop);
    assert(received);
    const { session } = received;
    assertEquals(encode(headerOf(session)).toHex(), told);
    assertEquals(proxyInfo(session), session.info);
    assertEquals(proxyHop(session), session.hop);
    sessions.close();
  }
});

Deno.test("headerOf() shows a mapped address as `unmap` has it", async () => {
  const mapped = ascii(
    "PROXY TCP6 ::ffff:192.0.2.1 ::ffff:198.51.100.1 56324 443\r\n",
  );
  await accepted(mapped, (conn) => {
    assertEquals(encode(headerOf(conn)), v2("2111", BLOCK4));
  }, { unmap: true });
});

Deno.test("headerOf() tells the addresses of a connection that was never accepted", async () => {
  using pair = await tcpPair();
  const { remoteAddr, localAddr } = pair.server;
  assertEquals(headerOf(pair.server), {
    source: { ...remoteAddr },
    destination: { ...localAddr },
    tlvs: {},
  });
  assertEquals(proxyInfo(pair.server), undefined);
  assertEquals(proxyHop(pair.server), undefined);
});

Deno.test("headerOf() refuses to guess while a header is awaited", async () => {
  using pair = await tcpPair();
  const { conn } = await accept(pair.server, { trust: TRUST, lazy: true });
  assertThrows(() => headerOf(conn), TypeError, "wait for ready");
  assertThrows(() => headerOf(conn.raw), TypeError, "wait for ready");
  await send(pair.client, V2.bytes);
  await within(conn.ready, "the header");
  assertEquals(encode(headerOf(conn)), V2.bytes);
  assertEquals(encode(headerOf(conn.raw)), V2.bytes);
  conn.close();
});

Deno.test("headerOf() refuses to guess after a header was rejected", async () => {
  using pair = await tcpPair();
  const { conn } = await accept(pair.server, { trust: TRUST, lazy: true });
  await send(pair.client, ascii("GET / HTTP/1.1\r\n"));
  await conn.ready.catch(() => {});
  assertThrows(() => headerOf(conn), TypeError, "was rejected");
});

Deno.test("headerOf() takes nothing that has no ends", () => {
  for (
    const stranger of [{}, [], "socket", undefined, null, 1, { socket: {} }]
  ) {
    const untyped: object = Object(stranger) === stranger
      ? Object(stranger)
      : JSON.parse(JSON.stringify(stranger ?? null));
    assertThrows(() => headerOf(untyped), TypeError, "Cannot name the client");
    assertEquals(proxyInfo(untyped), undefined);
    assertEquals(proxyHop(untyped), undefined);
  }
});

Deno.test("proxyInfo() and proxyHop() know a connection and its `raw`", async () => {
  await accepted(V2.bytes, (conn, { remote }) => {
    for (const from of [conn, conn.raw]) {
      assertEquals(proxyInfo(from), conn.info);
      assertEquals(proxyHop(from), remote);
    }
  });
});
