/** Headers that `encode` makes, and where it sends them. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { runCli } from "../../conn/cli.ts";
import { accept, decode, proxied, type ProxyInfo } from "../../mod.ts";
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

/** What a server does with each connection, and what `encode --connect` makes of it. */
async function connectTo(
  serve: (socket: Socket) => void,
  input = "",
): Promise<[code: number, out: string, err: string]> {
  const server = createServer(serve).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  assert(address !== null && typeof address === "object");
  const to = `127.0.0.1:${address.port}`;
  const { code, out, err } = await run(
    ["encode", ...ENDS, "--connect", to],
    utf8(input),
  );
  server.close();
  return [code, out, err.replace(to, "HOST:PORT")];
}

const CLOSED = "No answer from HOST:PORT: the server closed the connection, " +
  "as servers that reject a header do\n";
const RESET = CLOSED.replace("closed", "reset");

Deno.test("encode --connect fails at a server that closes when it has read the header", async () => {
  assertEquals(
    await connectTo((socket) => socket.once("data", () => socket.end())),
    [1, "", CLOSED],
  );
});

Deno.test("encode --connect fails at a server that closes at once", async () => {
  const [code, out, err] = await connectTo((socket) => socket.end(), "input");
  assertEquals([code, out], [1, ""]);
  // What it had not read turns the end into a reset.
  assert(err === CLOSED || err === RESET, err);
});

for (const input of ["", "input"]) {
  Deno.test(`encode --connect fails at a server that resets at ${input || "the header"}`, async () => {
    assertEquals(
      await connectTo(
        (socket) => socket.once("data", () => socket.resetAndDestroy()),
        input,
      ),
      [1, "", RESET],
    );
  });
}

Deno.test("encode --connect fails at a server of ours that rejects the header", async () => {
  using listener = proxied(listen(), { trust: ["192.0.2.1"] });
  const accepting = listener.accept().catch(() => {});
  const { code, err } = await run(
    ["encode", ...ENDS, "--connect", `127.0.0.1:${listener.addr.port}`],
    utf8("GET / HTTP/1.0\r\n\r\n"),
  );
  listener.close();
  await accepting;
  assertEquals(code, 1);
  assertMatch(
    err,
    /^No answer from 127\.0\.0\.1:\d+: the server (closed|reset)/,
  );
});

Deno.test("encode --connect succeeds at a server that answers, whatever it says", async () => {
  assertEquals(
    await connectTo((socket) =>
      socket.once("data", () => socket.end("500 what?\r\n"))
    ),
    [0, "500 what?\r\n", ""],
  );
});

Deno.test("encode --connect tells a server that says nothing from one that closes", async () => {
  const [code, out, err] = await connectTo((socket) => socket.resume());
  assertEquals([code, out], [0, ""]);
  assertMatch(
    err,
    /^No answer from HOST:PORT: .* only after the end of the input, .*\n$/,
  );
});

Deno.test("encode --connect fails at a reset after an answer too", async () => {
  const [code, out, err] = await connectTo((socket) => {
    socket.allowHalfOpen = true;
    socket.once("data", () => socket.write("part"));
    socket.once("end", () => socket.resetAndDestroy()); // the part was read
  });
  assertEquals([code, out], [1, "part"]);
  assertMatch(err, /^Cannot send to HOST:PORT: .*reset/);
});

Deno.test("encode --connect ends with the server, though its own input has not", async () => {
  using listener = listen();
  let err = "";
  const running = runCli(
    ["encode", ...ENDS, "--connect", `127.0.0.1:${listener.addr.port}`],
    {
      input: new ReadableStream(),
      isInputTerminal: true,
      write: () => Promise.resolve(),
      warn: (line) => Promise.resolve(void (err += line)),
      stop: () => new AbortController().signal,
    },
  );
  const { conn } = await accept(await listener.accept(), {
    trust: ["127.0.0.1"],
  });
  conn.close();
  assertEquals(await running, 1);
  assertMatch(err, /^No answer from .*: the server closed the connection, as/);
});
