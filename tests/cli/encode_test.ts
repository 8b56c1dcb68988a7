/** Headers that `encode` makes, and where it sends them. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { once } from "node:events";
import { createServer } from "node:net";
import { accept, decode, type ProxyInfo } from "../../mod.ts";
import { utf8 } from "../_bytes.ts";
import { listen, receiveText, send } from "../conn/_peers.ts";
import { run } from "./_cli.ts";

const ENDS = [
  ...["--source", "192.0.2.1:56324"],
  ...["--destination", "198.51.100.1:443"],
];

async function encoded(...args: string[]): Promise<ProxyInfo> {
  const { code, out, err } = await run(["encode", ...args]);
  assertEquals([code, err], [0, ""]);
  const info = decode(Uint8Array.fromHex(out.trimEnd()));
  assert(info !== undefined);
  return info;
}

Deno.test("encode writes both addresses", async () => {
  const { version, family, transport, source, destination } = await encoded(
    ...ENDS,
  );
  assertEquals([version, family, transport], [2, "INET", "STREAM"]);
  assertEquals(source, {
    transport: "tcp",
    hostname: "192.0.2.1",
    port: 56324,
  });
  assertEquals(destination, {
    transport: "tcp",
    hostname: "198.51.100.1",
    port: 443,
  });
});

Deno.test("encode writes IPv6, UNIX and datagrams", async () => {
  const ipv6 = await encoded(
    ...["--source", "[2001:db8::1]:1", "--destination", "[::1]:2"],
    ...["--transport", "dgram"],
  );
  assertEquals([ipv6.family, ipv6.transport], ["INET6", "DGRAM"]);
  const unix = await encoded(
    ...["--source", "unix:/run/a", "--destination", "unix:@b"],
  );
  assertEquals(unix.source, { transport: "unix", path: "/run/a" });
  assertEquals(unix.destination, { transport: "unix", path: "\0b" });
});

Deno.test("encode writes LOCAL, UNKNOWN and version 1", async () => {
  assertEquals((await encoded()).command, "LOCAL");
  assertEquals((await encoded("--local", ...ENDS)).raw.length, 16);
  const unknown = await encoded("--unknown");
  assertEquals([unknown.command, unknown.family], ["PROXY", "UNSPEC"]);
  const { bytes } = await run(["encode", "--v1", "--raw", ...ENDS]);
  assertEquals(
    bytes,
    utf8("PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\r\n"),
  );
  const { out } = await run(["encode", "--v1", "--unknown"]);
  assertEquals(out, `${utf8("PROXY UNKNOWN\r\n").toHex()}\n`);
});

Deno.test("encode has an option for every TLV", async () => {
  const { tlvs, raw } = await encoded(
    ...ENDS,
    ...["--alpn", "h2", "--authority", "a.example", "--netns", "blue"],
    ...["--unique-id", "id-7", "--ssl-client", "7", "--ssl-verify", "0"],
    ...["--ssl-version", "TLSv1.3", "--ssl-cn", "cn", "--ssl-cipher", "c"],
    ...["--ssl-sig-alg", "s", "--ssl-key-alg", "k", "--ssl-group", "g"],
    ...["--ssl-sig-scheme", "r", "--ssl-client-cert", "0x3082"],
    ...["--tlv", "xEA=01:ff", "--tlv", "xEA=", "--checksum", "--align", "64"],
  );
  const { CRC32C, NOOP, ...rest } = tlvs;
  assert(CRC32C !== undefined && NOOP !== undefined);
  assertEquals(raw.length % 64, 0);
  assertEquals(rest, {
    ALPN: "h2",
    AUTHORITY: "a.example",
    NETNS: "blue",
    UNIQUE_ID: utf8("id-7"),
    SSL: true,
    SSL_CLIENT: 7,
    SSL_VERIFY: 0,
    SSL_VERSION: "TLSv1.3",
    SSL_CN: "cn",
    SSL_CIPHER: "c",
    SSL_SIG_ALG: "s",
    SSL_KEY_ALG: "k",
    SSL_GROUP: "g",
    SSL_SIG_SCHEME: "r",
    SSL_CLIENT_CERT: Uint8Array.of(0x30, 0x82),
    xEA: new Uint8Array(),
  });
});

Deno.test("encode keeps the order of its options, and duplicates of --tlv", async () => {
  const { rest } = await encoded(
    ...ENDS,
    ...["--tlv", "xE0=aa", "--authority", "a", "--alpn", "b"],
    ...["--tlv", "xE0=bb"],
  );
  assertEquals(
    rest.toHex(),
    "02000161" + "01000162" + "e00001aa" + "e00001bb",
  );
});

Deno.test("encode --connect sends the header, then both ways until both have ended", async () => {
  using listener = listen();
  const { port } = listener.addr;
  const running = run(
    ["encode", ...ENDS, "--connect", `127.0.0.1:${port}`],
    utf8("question"),
  );
  const { conn, info } = await accept(await listener.accept(), {
    trust: ["127.0.0.1"],
  });
  assertEquals(info?.raw.length, 28);
  // The end of the input has arrived, and the answer still gets there.
  assertEquals(await receiveText(conn), "question");
  await send(conn, "answer");
  conn.close();
  const { code, out, err } = await running;
  assertEquals([code, out, err], [0, "answer", ""]);
});

Deno.test("encode --connect says that nobody listens", async () => {
  using listener = listen();
  const to = `127.0.0.1:${listener.addr.port}`;
  listener.close();
  const { code, err } = await run(["encode", "--connect", to], utf8(""));
  assertEquals(code, 1);
  assertMatch(err, /^Cannot send to 127\.0\.0\.1:\d+: Connection refused/);
});

Deno.test("encode --connect says that the peer has reset", async () => {
  const server = createServer((socket) => {
    socket.once("data", () => socket.resetAndDestroy());
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = address !== null && typeof address === "object" && address.port;
  const { code, err } = await run(
    ["encode", ...ENDS, "--connect", `127.0.0.1:${port}`],
    utf8("x"),
  );
  server.close();
  assertEquals(code, 1);
  assertMatch(err, /^Cannot send to .*reset/i);
});
