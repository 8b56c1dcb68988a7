/** Nothing that a peer says acts on the terminal in which it is read. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { encode, encodeTlvs } from "../../codec/mod.ts";
import { concat, utf8 } from "../_bytes.ts";
import { listen, receiveText, send } from "../conn/_peers.ts";
import { answerOutput } from "../../conn/cli/io.ts";
import { run, start, test } from "./_cli.ts";

/** Code points from the first to the last. */
function range(first: number, last: number): string {
  return Array.from(
    { length: last - first + 1 },
    (_, i) => String.fromCodePoint(first + i),
  ).join("");
}

/** Controls, marks of direction, ends of lines. */
const ACTING = [
  [0x00, 0x1f],
  [0x7f, 0x9f],
  [0x061c, 0x061c],
  [0x200e, 0x200f],
  [0x2028, 0x2029],
  [0x202a, 0x202e],
  [0x2066, 0x2069],
].map(([first = 0, last = 0]) => range(first, last)).join("");

/** A path has room for 107 bytes, and ends at a NUL. */
const PATHS = [
  ACTING.slice(1, 32),
  ACTING.slice(32, 32 + 33),
  ACTING.slice(65),
  "\xff\n",
];

/** Text of all of them, then bytes that are no UTF-8: the codec makes lone surrogates of them. */
const HOSTILE = utf8(ACTING);
const BROKEN = concat([HOSTILE, Uint8Array.of(0xff, 0x9b, 0xc2, 0xed, 0xa0)]);

/** TLVs of every kind of text, and of bytes. */
const TLVS = encodeTlvs(
  [0x01, 0x02, 0x05, 0x22, 0x30, 0xe0, 0xea, 0xee].flatMap((type) =>
    [HOSTILE, BROKEN, concat([Uint8Array.of(1), BROKEN])]
      .map((value) => ({ type, value: value.subarray(0, 128) }))
  ),
);

/** What a peer may send: every text of a header, wrong lines, payload. */
const HEADERS: readonly Uint8Array<ArrayBuffer>[] = [
  ...PATHS.map((path) =>
    concat([
      encode({
        source: { transport: "unix", path: `/${path}` },
        destination: { transport: "unix", path: `\0${path}` },
        tlvs: [
          { type: 0x02, value: BROKEN },
          { type: 0x20, value: concat([new Uint8Array(5), TLVS]) },
          { type: 0xea, value: concat([Uint8Array.of(1), BROKEN]) },
        ],
      }),
      BROKEN,
    ])
  ),
  concat([utf8("PROXY UNKNOWN "), BROKEN.subarray(32), utf8("\r\n"), BROKEN]),
  concat([utf8("PROXY UNKNOWN"), HOSTILE]),
  ...Array.from(
    [
      "PROXY TCP4 ",
      "PROXY TCP4 1.2.3.4 ",
      "PROXY TCP4 1.2.3.4 5.6.7.8 ",
      "GET /",
    ],
    (begin) => concat([utf8(begin), BROKEN.subarray(32), utf8(" 1 2\r\n")]),
  ),
  BROKEN,
];

/** Ends of lines are ours; a lone surrogate is U+FFFD where it leaves. */
const HARMFUL: ReadonlySet<string> = new Set(
  `${ACTING}\ufffd`.replace("\n", ""),
);

function assertHarmless(text: string): void {
  const characters = Array.from(text);
  const at = characters.findIndex((character) => HARMFUL.has(character));
  if (at < 0) return;
  const begin = JSON.stringify(characters.slice(0, at + 1).join(""));
  throw new Error(`Character ${at} acts on a terminal: ${escape(begin)}`);
}

for (const [i, header] of HEADERS.entries()) {
  Deno.test(`decode prints nothing that acts on a terminal, header ${i}`, async () => {
    for (const args of [[], ["--json"], ["--tlvs", "lenient"]]) {
      const { out, err } = await run(["decode", "--raw", ...args], header);
      assert(out !== "");
      assertHarmless(out);
      assertHarmless(err);
      if (args[0] === "--json") JSON.parse(out);
    }
  });
}

/** Sends each header in a connection of its own; the answers. */
async function sendAll(port: number): Promise<string[]> {
  const answers: string[] = [];
  for (const header of HEADERS) {
    using conn = await Deno.connect({ hostname: "127.0.0.1", port });
    await send(conn, header);
    await conn.closeWrite();
    answers.push(await receiveText(conn));
  }
  return answers;
}

for (const args of [[], ["--json"], ["--verbose", "--http"]]) {
  test(`listen ${args.join(" ")} prints nothing that acts on a terminal`, async (on) => {
    await using cli = start(on, ["--allow-net"], [
      ...["listen", "127.0.0.1:0", "--count", `${HEADERS.length}`, ...args],
    ]);
    const [, port] = await cli.err(/Listening on 127\.0\.0\.1:(\d+)\n/);
    const answers = await sendAll(Number(port));
    const { out, err } = await cli.ended();
    assertHarmless(out);
    assertHarmless(err);
    for (const answer of answers) {
      assertHarmless(answer.replaceAll("\r\n", "\n"));
    }
    // A peer cannot begin a line.
    if (args[0] === "--verbose") return;
    const lines = out.trimEnd().split("\n");
    assertEquals(lines.length, HEADERS.length);
    if (args[0] === "--json") lines.map((line) => JSON.parse(line));
    else for (const line of lines) assertMatch(line, /^2\d{3}-/);
  });
}

test("relay warns of nothing that acts on a terminal", async (on) => {
  const service = listen();
  const to = `127.0.0.1:${service.addr.port}`;
  service.close(); // so that it names the client of each
  await using cli = start(on, ["--allow-net"], [
    ...["relay", "--map", `127.0.0.1:0=${to}`, "--trust", "any"],
    ...["--stats", "0"],
  ]);
  const [, port] = await cli.err(/Relaying 127\.0\.0\.1:(\d+) to/);
  await sendAll(Number(port));
  cli.kill("SIGTERM");
  const { out, err } = await cli.ended();
  assertHarmless(out);
  assertHarmless(err);
  const lines = err.trimEnd().split("\n");
  assertEquals(lines.length, HEADERS.length + 2);
  for (const line of lines) {
    assertMatch(line, /^(Relaying|Refused|Cannot relay|Stopping)/);
  }
});

const ANSWER = concat([utf8("1\r\n2\r3\né\r\n"), BROKEN, utf8("\r")]);
const SHOWN_REGEXP = /^1\n2\\u000d3\né\n\\u0000\\u0001.*\\u000d$/s;

for (const isTerminal of [true, false]) {
  const where = isTerminal ? "acts on no terminal" : "leaves as it came";
  Deno.test(`an answer to encode --connect ${where}`, async () => {
    using listener = listen();
    const serving = (async () => {
      using conn = await listener.accept();
      await receiveText(conn);
      await send(conn, ANSWER);
    })();
    const to = `127.0.0.1:${listener.addr.port}`;
    const { out, bytes } = await run(
      ["encode", "--connect", to],
      new Uint8Array(),
      undefined,
      isTerminal,
    );
    await serving;
    if (isTerminal) assertShown(out);
    else assertEquals(bytes, ANSWER);
  });
}

Deno.test("characters and ends of lines of an answer may come in parts", async () => {
  let out = "";
  const output = answerOutput({
    input: new ReadableStream(),
    isInputTerminal: false,
    isOutputTerminal: true,
    write: (bytes) =>
      Promise.resolve(void (out += new TextDecoder().decode(bytes))),
    warn: () => Promise.resolve(),
    stop: () => AbortSignal.abort(),
  }).getWriter();
  for (const byte of ANSWER) await output.write(Uint8Array.of(byte));
  await output.close();
  assertShown(out);
});

function assertShown(out: string): void {
  // Bytes that are no UTF-8 are shown as U+FFFD here.
  assertHarmless(out.replaceAll("\ufffd", ""));
  assertMatch(out, SHOWN_REGEXP);
}

const WRONG: readonly (readonly string[])[] = [
  [ACTING],
  [`--${ACTING}`],
  ["decode", ACTING],
  ["decode", "--hex", `${ACTING}\\x`],
  ["decode", "--checksum", ACTING],
  ["decode", "--file", `/nowhere/${ACTING.slice(1)}`],
  ["decode", `--${ACTING}`],
  ["encode", ACTING],
  ["encode", "--source", ACTING],
  ["encode", "--tlv", ACTING],
  ["encode", "--tlv", `xEA=${ACTING}`],
  ["encode", "--connect", ACTING],
  ["encode", "--connect", `${ACTING.slice(1)}:1`],
  ["encode", "--source", `${ACTING}:1`, "--destination", "192.0.2.1:1"],
  ["listen", ACTING],
  ["listen", "0", "--trust", ACTING],
  ["listen", `${ACTING.slice(1)}:1`],
  ["relay", "--map", ACTING],
  ["relay", "--map", `1=${ACTING}`, "--trust", "any"],
  ["relay", ...["--map", "1=a:1", "--trust", "any", "--keep", ACTING]],
  [
    ...["relay", "--map", "1=a:1", "--trust", "any", "--send", "v2"],
    ...["--keep", ACTING],
  ],
];

for (const [i, args] of WRONG.entries()) {
  Deno.test(`an error about arguments acts on no terminal, case ${i}`, async () => {
    const { code, out, err } = await run(args);
    assertEquals(out, "");
    assert(code > 0 && err !== "");
    assertHarmless(err);
  });
}
