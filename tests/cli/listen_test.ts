/** What `listen` prints of connections, as a process with its permissions. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { encode } from "../../codec/mod.ts";
import { utf8 } from "../_bytes.ts";
import { receiveText, send } from "../conn/_peers.ts";
import { CLIENT, HEADER } from "../conn/_peers.ts";
import { type On, start, type Started, test } from "./_cli.ts";

/** Listens on a port of the system's choice. */
function listenWith(
  on: On,
  ...args: string[]
): Promise<{ cli: Started; port: number }> {
  return listenWithin(on, undefined, ...args);
}

/** The same, with a limit of open files. */
async function listenWithin(
  on: On,
  files: number | undefined,
  ...args: string[]
): Promise<{ cli: Started; port: number }> {
  const cli = start(
    on,
    ["--allow-net"],
    ["listen", "127.0.0.1:0", ...args],
    undefined,
    files,
  );
  const [, port] = await cli.err(/Listening on 127\.0\.0\.1:(\d+)\n/);
  return { cli, port: Number(port) };
}

/** Sends bytes and waits for the end. */
async function tell(port: number, bytes: Uint8Array): Promise<string> {
  using conn = await Deno.connect({ hostname: "127.0.0.1", port });
  await send(conn, bytes);
  // What is refused may be closed by now.
  await conn.closeWrite().catch(() => {});
  return await receiveText(conn);
}

test("listen prints a line for each connection, whatever became of it", async (on) => {
  const { cli, port } = await listenWith(on, "--count", "6");
  await using _ = cli;
  const tlvs = { AUTHORITY: "a.example", SSL_VERSION: "TLSv1.3", SSL: true };
  await tell(port, encode({ ...CLIENT, tlvs }, { checksum: true }));
  await tell(port, utf8("PROXY UNKNOWN\r\nhello"));
  await tell(port, encode({ command: "LOCAL" }));
  await tell(port, utf8("GET / HTTP/1.1\r\n\r\n"));
  await tell(port, utf8("PROXY TCP4 1.2"));
  await tell(port, new Uint8Array());
  const { code, out } = await cli.ended();
  assertEquals(code, 0);
  const lines = out.trimEnd().split("\n");
  const expected = [
    /v2 PROXY INET STREAM 192\.0\.2\.1:1111 -> 198\.51\.100\.1:2222 CRC32C=right AUTHORITY="a\.example" SSL_CLIENT=1 SSL_VERIFY=1 SSL_VERSION="TLSv1\.3" client=unverified$/,
    /v1 UNKNOWN$/,
    /v2 LOCAL$/,
    /rejected \(signature\): No PROXY header: received "GET \/ HTTP\/1\.1" \(an HTTP request\)$/,
    /rejected \(incomplete\): .*closed after 14 bytes; received "PROXY TCP4 1\.2"$/,
    /empty: closed without a byte, as health checks do$/,
  ];
  assertEquals(lines.length, expected.length);
  for (const [i, pattern] of expected.entries()) {
    assertMatch(lines[i] ?? "", /^\d{4}-\d\d-\d\dT\S+Z 127\.0\.0\.1:\d+ /);
    assertMatch(lines[i] ?? "", pattern);
  }
});

test("listen has no more than 256 connections at once, the next one waits", async (on) => {
  const { cli, port } = await listenWith(on, "--count", "257");
  await using _ = cli;
  using opened = new DisposableStack();
  // None of them closes: each is kept for a second.
  for (let i = 0; i < 257; i++) {
    const conn = await Deno.connect({ hostname: "127.0.0.1", port });
    await send(opened.use(conn), HEADER);
  }
  const { out } = await cli.ended();
  const times = out.trimEnd().split("\n").map((line) =>
    Date.parse(line.split(" ")[0] ?? "")
  );
  assertEquals(times.length, 257);
  assert(Math.max(...times) - Math.min(...times) > 900);
});

const MOST_FILES = 64;

/** More connections than there are files. */
async function dialMany(port: number): Promise<Deno.TcpConn[] & Disposable> {
  const conns: Deno.TcpConn[] = [];
  for (let i = 0; i < MOST_FILES; i++) {
    conns.push(await Deno.connect({ hostname: "127.0.0.1", port }));
  }
  return Object.assign(conns, {
    [Symbol.dispose]: () => conns.forEach((conn) => conn.close()),
  });
}

test("listen waits for files where it has none left, and then shows who has waited", async (on) => {
  const count = ["--count", `${MOST_FILES}`];
  const { cli, port } = await listenWithin(on, MOST_FILES, ...count);
  await using _ = cli;
  using conns = await dialMany(port);
  if (on.name === "Deno") { // the others do not say so
    await cli.err(
      /Cannot accept a connection, trying again: Too many open files/,
    );
  }
  for (const conn of conns) {
    // Node has closed those for which it had no file: they come again.
    await send(conn, HEADER).then(() => conn.closeWrite()).catch(() => {});
  }
  if (on.name === "Node") {
    for (let i = 0; i < MOST_FILES; i++) {
      await tell(port, HEADER).catch(() => {}); // until it has had enough
    }
  }
  const { code, out } = await cli.ended();
  assertEquals(code, 0);
  const lines = out.trimEnd().split("\n");
  assertEquals(lines.length, MOST_FILES);
  for (const line of lines) assertMatch(line, / v2 PROXY INET STREAM /);
});

test("listen ends when it is told to while it has no files left", async (on) => {
  const { cli, port } = await listenWithin(on, MOST_FILES);
  await using _ = cli;
  using conns = await dialMany(port);
  if (on.name === "Deno") await cli.err(/Too many open files/);
  cli.kill("SIGTERM");
  assertEquals((await cli.ended()).code, 0);
  assertEquals(conns.length, MOST_FILES);
});

test("listen --json prints a line of JSON for each connection", async (on) => {
  const { cli, port } = await listenWith(on, "--json", "--count", "3");
  await using _ = cli;
  await tell(port, HEADER);
  await tell(port, new Uint8Array());
  await tell(port, Uint8Array.of(0xff));
  const { out } = await cli.ended();
  const [header, empty, refused] = out.trimEnd().split("\n")
    .map((line) => JSON.parse(line));
  assertEquals(header.source, CLIENT.source);
  assertEquals(header.raw, HEADER.toHex());
  assertEquals(empty.refused.code, "empty");
  assertEquals(
    [refused.refused.code, refused.refused.offset, refused.refused.received],
    ["signature", 0, "ff"],
  );
});

test("listen --verbose prints the table, or the bytes with a mark", async (on) => {
  const { cli, port } = await listenWith(on, "--verbose", "--count", "2");
  await using _ = cli;
  await tell(port, HEADER);
  await tell(port, utf8("PROXY TCP5"));
  const { out } = await cli.ended();
  assertMatch(
    out,
    /\n {5}0 {2}0d0a0d0a000d0a515549540a {2}2\.2 {6}signature /,
  );
  assertMatch(out, / {2}50 52 4f 58 59 20 54 43 50 35 .*\n +\^\^ byte 9\n/);
});

test("listen --http answers with the table", async (on) => {
  const { cli, port } = await listenWith(on, "--http", "--count", "1");
  await using _ = cli;
  using conn = await Deno.connect({ hostname: "127.0.0.1", port });
  await send(conn, HEADER);
  await send(conn, "GET / HTTP/1.1\r\n\r\n");
  const answer = await receiveText(conn);
  assertMatch(answer, /^HTTP\/1\.1 200 OK\r\n/);
  assertMatch(answer, /\n +16 {2}c0000201 .* source address .* 192\.0\.2\.1\n/);
  const body = answer.split("\r\n\r\n")[1] ?? "";
  const length = Number(/Content-Length: (\d+)/.exec(answer)?.[1]);
  assertEquals(utf8(body).length, length);
});

test("listen --ui serves the page, and tells it of connections", async (on) => {
  const { cli, port } = await listenWith(on, "--ui");
  await using _ = cli;
  const [, url = ""] = await cli.err(/Showing headers at (\S+)\n/);
  assertMatch(await (await fetch(url)).text(), /^<!doctype html>/);
  await tell(port, HEADER);
  await cli.out(/198\.51\.100\.1/);
  const events = await fetch(`${url}events`);
  let text = "";
  for await (const chunk of events.body ?? []) {
    text += new TextDecoder().decode(chunk);
    if (text.includes(HEADER.toHex())) break;
  }
  assertMatch(text, /^event: start\ndata: .*\n\nevent: connection\ndata: /);
  cli.kill("SIGTERM");
  assertEquals((await cli.ended()).code, 0);
});

for (const trust of ["10.0.0.0/8", "private"]) {
  test(`listen --trust ${trust} shows whom a server with this list refuses`, async (on) => {
    const { cli, port } = await listenWith(
      on,
      "--trust",
      trust,
      "--count",
      "1",
    );
    await using _ = cli;
    await tell(port, HEADER);
    const { out } = await cli.ended();
    assertMatch(out, /rejected \(untrusted\): .* not trusted\n$/);
  });
}

test("listen --trust loopback shows what this host sends", async (on) => {
  const { cli, port } = await listenWith(on, ...[
    "--trust",
    "loopback",
    "--count",
    "1",
  ]);
  await using _ = cli;
  await tell(port, HEADER);
  assertMatch((await cli.ended()).out, / v2 PROXY /);
});

for (const signal of ["SIGTERM", "SIGINT"] as const) {
  test(`listen ends at ${signal}, also while a header is pending`, async (on) => {
    const { cli, port } = await listenWith(on);
    await using _ = cli;
    using silent = await Deno.connect({ hostname: "127.0.0.1", port });
    await send(silent, "PROXY ");
    await tell(port, HEADER);
    await cli.out(/198\.51\.100\.1/);
    cli.kill(signal);
    const { code, out } = await cli.ended();
    assertEquals(code, 0);
    assertEquals(out.trimEnd().split("\n").length, 1);
  });
}
