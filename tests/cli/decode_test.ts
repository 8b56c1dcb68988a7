/** What `decode` shows of every header and of every refusal. */

import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import { decode } from "../../codec/mod.ts";
import { anatomy } from "../../conn/cli/anatomy.ts";
import { CAPTURES } from "../_captures.ts";
import { concat, utf8 } from "../_bytes.ts";
import { BLOCK4, hex, tlv, v2 } from "../codec/_hex.ts";
import { REFUSED } from "../codec/_refusals.ts";
import { forEachVector } from "../codec/_vectors.ts";
import { run } from "./_cli.ts";

/** Everything a header may be shown with. */
const PRINTABLE_REGEXP = /^[\P{C}\n]*$/u;

/** Flags of the options that a vector takes. */
function flags(options: Parameters<typeof decode>[1] = {}): string[] {
  const { checksum, tlvs, mixedTcp6, unmap, maxLength, versions } = options;
  return [
    ...(checksum ? ["--checksum", checksum] : []),
    ...(tlvs ? ["--tlvs", tlvs] : []),
    ...(mixedTcp6 ? ["--mixed-tcp6"] : []),
    ...(unmap ? ["--unmap"] : []),
    ...(maxLength ? ["--max-length", `${maxLength}`] : []),
    ...(versions ? ["--versions", versions.join(",")] : []),
  ];
}

Deno.test("decode takes no more than linear time for what is nearly a dump", async () => {
  // Of so much, the square would take minutes; it takes some ms.
  const nearly = utf8(`0000\n${" ".repeat(400_000)}q`);
  const begun = performance.now();
  const { code } = await run(["decode"], nearly);
  assertEquals(code, 1);
  assert(performance.now() - begun < 20_000);
});

Deno.test("decode takes a line of eight million bytes for hex that is no dump", async () => {
  const { code, out, err } = await run(
    ["decode"],
    utf8(`0000: ${"00 ".repeat(0x800000)}`),
  );
  assertEquals([code, err], [1, ""]);
  assertMatch(out, /^Refused \(signature\)/);
});

Deno.test("decode checks the last of several checksums, which counts", async () => {
  const tlvs = tlv("03", "01020304") + tlv("03", "05060708");
  const { out } = await run(
    ["decode", "--checksum", "ignore"],
    v2("2111", BLOCK4 + tlvs),
  );
  assertMatch(out, / CRC32C +0x01020304, not checked: not the last\n/);
  assertMatch(out, / CRC32C +0x05060708, WRONG: expected 0x[\da-f]{8}\n/);
});

Deno.test("anatomy() covers every byte of every header once", () => {
  forEachVector(({ bytes, options }) => {
    const info = decode(bytes, options);
    assert(info !== undefined);
    let at = 0;
    for (const { offset, groups, meaning, name, section } of anatomy(info)) {
      assertEquals(offset, at);
      at += concat(groups).length;
      assert(name !== "" && meaning !== "" && section.startsWith("2."));
    }
    assertEquals(at, bytes.length);
    assertEquals(concat(anatomy(info).flatMap((field) => field.groups)), bytes);
  });
});

Deno.test("decode shows every captured header, and counts what follows", async () => {
  for (const { id, header, payload } of CAPTURES) {
    const strict = await run(["decode"], concat([header, payload]));
    if (strict.code === 1) {
      assertStringIncludes(strict.out, "With --mixed-tcp6");
    }
    const { code, out, err } = await run(
      ["decode", "--mixed-tcp6"],
      concat([header, payload]),
    );
    assertEquals([code, err], [0, ""], id);
    assertMatch(out, PRINTABLE_REGEXP);
    const unit = payload.length === 1 ? "byte" : "bytes";
    assertStringIncludes(out, `\n${payload.length} ${unit} after the header`);
    assert(!out.includes("WRONG"), id);
  }
});

Deno.test("decode shows where and why for every refused header", async () => {
  for (const { name, bytes, options, code, offset } of REFUSED) {
    const input = Uint8Array.from(bytes);
    const args = ["decode", "--raw", ...flags(options)];
    const whole = await run(args, input);
    assertEquals([whole.code, whole.err], [1, ""], name);
    assertMatch(
      whole.out,
      /^Refused \(\w+\): (Cannot decode (PROXY|TLVs)|No PROXY header: received )/,
    );
    assertStringIncludes(whole.out, `Refused (${code})`, name);
    assertMatch(whole.out, PRINTABLE_REGEXP, name);
    const at = Number(/\^\^ byte (\d+)$/m.exec(whole.out)?.[1]);
    // Some are refused elsewhere once more of them is in.
    assertEquals(at, decodeOffset(bytes, options), `${name}, ${offset}`);
    assert(!whole.out.includes("    at "), name);
  }
});

function decodeOffset(...args: Parameters<typeof decode>): unknown {
  try {
    return decode(...args);
  } catch (error) {
    return error instanceof Error && "offset" in error && error.offset;
  }
}

Deno.test("decode marks the byte below its column", async () => {
  for (let count = 0; count < 300; count += 7) {
    const { out } = await run(
      ["decode", "--raw"],
      v2("2111", BLOCK4 + tlv("04", "00".repeat(count)) + "ff"),
    );
    const lines = out.split("\n");
    const mark = lines.findIndex((line) => line.includes("^^"));
    const column = lines[mark]?.indexOf("^^") ?? -1;
    assertEquals(lines[mark - 1]?.slice(column, column + 2), "ff");
  }
});

Deno.test("decode says how many bytes are missing, at every cut", async () => {
  const { header } = CAPTURES.find(({ id }) => id === "haproxy-v2-all") ??
    CAPTURES[0]!;
  for (let length = 0; length < header.length; length += 5) {
    const { code, out } = await run(
      ["decode", "--raw"],
      header.slice(0, length),
    );
    assertEquals(code, 1);
    const needed = Number(/at least (\d+) more needed/.exec(out)?.[1]);
    assert(needed > 0 && needed <= header.length - length, out);
    assertStringIncludes(out, `Incomplete: ${length} byte`);
  }
});

/** Values of types without a name, and what the table says of them. */
const MEANINGS: readonly (readonly [string, Uint8Array, string])[] = [
  [
    "ea",
    utf8("\x01vpce-1"),
    'AWS VPC endpoint "vpce-1", or of another sender (custom)',
  ],
  ["ea", utf8("vpce-1"), '"vpce-1" (custom)'],
  [
    "e0",
    new Uint8Array(8),
    "GCP PSC connection 0, or of another sender (custom)",
  ],
  [
    "e0",
    utf8("ab".repeat(16)),
    `JA3 of Harper "${
      "ab".repeat(16)
    }", or certificate fingerprint of InspIRCd "${
      "ab".repeat(16)
    }", or of another sender (custom)`,
  ],
  ["e0", new Uint8Array(7), "7 bytes (custom)"],
  [
    "e1",
    utf8("\x01vpc-1"),
    'Alibaba VPC "vpc-1", or of another sender (custom)',
  ],
  [
    "e1",
    utf8("\x02ep-1"),
    'Alibaba PrivateLink endpoint "ep-1", or of another sender (custom)',
  ],
  [
    "e1",
    utf8("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
    'W3C traceparent "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", or of another sender (custom)',
  ],
  [
    "e1",
    utf8("t13d1516h2_8daaf6152771_e5627efa2ab1"),
    'JA4 of Harper "t13d1516h2_8daaf6152771_e5627efa2ab1", or of another sender (custom)',
  ],
  [
    "e4",
    Uint8Array.of(1, 0, 1, 7, 2, 0, 0),
    "signed header of Teleport 2 parts, or of another sender (custom)",
  ],
  [
    "ee",
    Uint8Array.of(1, 2, 0, 0, 0),
    "Azure private endpoint LINKID 2, or of another sender (custom)",
  ],
  [
    "d0",
    utf8("spiffe://a/ns/b/sa/c"),
    'Istio ztunnel identity "spiffe://a/ns/b/sa/c", or of another sender',
  ],
];

for (const [type, value, meaning] of MEANINGS) {
  Deno.test(`decode says of a type without a name: ${meaning.slice(0, 60)}`, async () => {
    const { out } = await run(
      ["decode"],
      v2("2111", BLOCK4 + tlv(type, value.toHex())),
    );
    assertStringIncludes(out, `  ${meaning}\n`);
  });
}

Deno.test("decode shows the stored and the computed checksum", async () => {
  const bytes = v2("2111", BLOCK4 + tlv("03", "11223344"));
  const refused = await run(["decode"], bytes);
  assertEquals(refused.code, 1);
  assertStringIncludes(
    refused.out,
    "header has 0x11223344, computed 0x737ee919",
  );
  const wrong = "0x11223344, WRONG: expected 0x737ee919";
  assertStringIncludes(refused.out, "With --checksum ignore it is accepted");
  assertStringIncludes(refused.out, wrong);
  const ignored = await run(["decode", "--checksum", "ignore"], bytes);
  assertEquals(ignored.code, 0);
  assertStringIncludes(ignored.out, wrong);
});

Deno.test("decode shows TLVs that were read leniently, and what is stray", async () => {
  const bytes = v2("2111", BLOCK4 + tlv("01", "6832") + "ffff");
  const { code, out } = await run(["decode", "--tlvs", "lenient"], bytes);
  assertEquals(code, 0);
  assertMatch(out, / 28 {2}01 0002 6832 .* ALPN .* "h2"\n/);
  assertMatch(out, / 33 {2}ffff .* stray bytes /);
});

Deno.test("decode prints nothing of a header that a terminal would obey", async () => {
  const { out } = await run([
    "decode",
    v2("2111", BLOCK4 + tlv("02", "1b5b324a61c29be280ae")).toHex(),
  ]);
  assertMatch(out, PRINTABLE_REGEXP);
  assertStringIncludes(out, '"\\u001b[2Ja\\u009b\\u202e"');
});

Deno.test("decode --json prints the info with bytes as hex", async () => {
  const bytes = v2("2111", BLOCK4 + tlv("01", "6832") + tlv("ea", "01ff"));
  const { code, out } = await run(["decode", "--json", `${bytes.toHex()}aabb`]);
  assertEquals(code, 0);
  assertEquals(JSON.parse(out), {
    version: 2,
    command: "PROXY",
    family: "INET",
    transport: "STREAM",
    source: { transport: "tcp", hostname: "192.0.2.1", port: 56324 },
    destination: { transport: "tcp", hostname: "198.51.100.1", port: 443 },
    tlvs: { ALPN: "h2", xEA: "01ff" },
    tlv_loc: { ALPN: 0, xEA: 5 },
    tlv_start: 28,
    rest: "0100026832ea000201ff",
    raw: bytes.toHex(),
    bytesAfter: 2,
  });
});

Deno.test("decode --json says what is wrong", async () => {
  const refused = await run(["decode", "--json", "0d0a0d0aff"]);
  assertEquals([refused.code, JSON.parse(refused.out)], [1, {
    refused: {
      code: "signature",
      message:
        "No PROXY header: received 0x0d0a0d0aff, expected 0x00 at byte 4",
      offset: 4,
      received: "0d0a0d0aff",
    },
  }]);
  const incomplete = await run(["decode", "--json", "0d0a"]);
  assertEquals([incomplete.code, JSON.parse(incomplete.out)], [1, {
    incomplete: { received: "0d0a", needed: 14 },
  }]);
});

const TYPED = v2("2111", BLOCK4);
const DIGITS = TYPED.toHex();
const PAIRS = DIGITS.match(/../g) ?? [];

/** One header as people have it. */
const FORMS: Readonly<Record<string, string>> = {
  "plain hex": DIGITS,
  "hex in upper case": DIGITS.toUpperCase(),
  "hex with spaces": PAIRS.join(" "),
  "hex with colons": PAIRS.join(":"),
  "hex with 0x in front": `0x${DIGITS}`,
  "bytes of C": PAIRS.map((pair) => `0x${pair}`).join(", "),
  "escapes of hex": PAIRS.map((pair) => `\\x${pair}`).join(""),
  "hex in lines": `${DIGITS.slice(0, 20)}\n  ${DIGITS.slice(20)}\r\n`,
  "text with escapes":
    "\\r\\n\\r\\n\\0\\r\\nQUIT\\n!\\x11\\000\\x0c\\xc0\\x00\\x02\\x01\\xc63d\\x01\\xdc\\x04\\x01\\xbb",
  "what xxd prints":
    "00000000: 0d0a 0d0a 000d 0a51 5549 540a 2111 000c  .......QUIT.!...\n" +
    "00000010: c000 0201 c633 6401 dc04 01bb            .....3d.....\n",
  "what hexdump -C prints":
    "00000000  0d 0a 0d 0a 00 0d 0a 51  55 49 54 0a 21 11 00 0c  |.......QUIT.!...|\n" +
    "00000010  c0 00 02 01 c6 33 64 01  dc 04 01 bb              |.....3d.....|\n" +
    "0000001c\n",
  "what od -t x1 prints":
    "0000000 0d 0a 0d 0a 00 0d 0a 51 55 49 54 0a 21 11 00 0c\n" +
    "0000020 c0 00 02 01 c6 33 64 01 dc 04 01 bb\n" +
    "0000034\n",
  "what tcpdump -x prints":
    "\t0x0000:  0d0a 0d0a 000d 0a51 5549 540a 2111 000c\n" +
    "\t0x0010:  c000 0201 c633 6401 dc04 01bb\n",
};

for (const [name, text] of Object.entries(FORMS)) {
  Deno.test(`decode reads ${name}`, async () => {
    const { code, out } = await run(["decode", "--json", text]);
    assertEquals([code, JSON.parse(out).raw], [0, DIGITS]);
    if (name === "text with escapes") return; // a file holds it as bytes
    const piped = await run(["decode", "--json"], utf8(text));
    assertEquals(JSON.parse(piped.out).raw, DIGITS);
  });
}

Deno.test("decode reads a line that was typed, and hex in several arguments", async () => {
  const line = await run(["decode", "PROXY TCP4 1.2.3.4 5.6.7.8 1 2\\r\\nGET"]);
  assertEquals(line.code, 0);
  assertStringIncludes(line.out, '3 bytes after the header: "GET"');
  assertEquals((await run(["decode", ...PAIRS])).code, 0);
});

Deno.test("decode reads text beyond ASCII as UTF-8", async () => {
  const { out } = await run(["decode", "--json", "PROXY UNKNOWN é\\xff\\r\\n"]);
  assertEquals(JSON.parse(out).rest, "20c3a9ff");
});

Deno.test("decode takes bytes as it is told", async () => {
  const raw = await run(["decode", "--raw"], utf8(DIGITS));
  assertStringIncludes(raw.out, "Refused (signature)");
  const forced = await run(["decode", "--hex"], TYPED);
  assertEquals(forced.code, 2);
  const cut = await run(["decode"], utf8(`${DIGITS.slice(0, -1)}\n`));
  assertEquals(cut.code, 2);
  assertStringIncludes(cut.err, `received ${DIGITS.length - 1} digits`);
});

Deno.test("decode finds a signature further on, and --skip goes there", async () => {
  const { code, out } = await run(["decode", `ffff${DIGITS}`]);
  assertEquals(code, 1);
  assertStringIncludes(out, "--skip 2");
  assertEquals((await run(["decode", "--skip", "2", `ffff${DIGITS}`])).code, 0);
});

Deno.test("decode recognises what often comes instead of a header", async () => {
  const http = await run(["decode"], utf8("GET / HTTP/1.1\r\n"));
  assertStringIncludes(http.out, "looks like an HTTP request");
  const tls = await run(["decode"], hex("160301020001000000"));
  assertStringIncludes(tls.out, "looks like a TLS ClientHello");
  const begun = await run(["decode"], utf8("POST /a-path-tha"));
  assertStringIncludes(begun.out, "looks like an HTTP request");
});

Deno.test("decode says how a line ends, where it ends otherwise or not at all", async () => {
  const typed = "PROXY TCP4 1.2.3.4 5.6.7.8 1 2";
  for (const line of [typed, `${typed}\\n`]) {
    const { code, out } = await run(["decode", line]);
    assertEquals(code, 1);
    assert(out.endsWith("\n\nA line of version 1 ends with \\r\\n\n"), out);
  }
});

Deno.test("decode of nothing shows no bytes", async () => {
  const { code, out } = await run(["decode"], new Uint8Array());
  assertEquals(code, 1);
  assertEquals(out, "Incomplete: 0 bytes received, at least 15 more needed\n");
});

Deno.test("decode reads a file, and says when it cannot", async () => {
  const file = await Deno.makeTempFile();
  try {
    await Deno.writeFile(file, TYPED);
    assertEquals((await run(["decode", "--file", file])).code, 0);
  } finally {
    await Deno.remove(file);
  }
  const { code, err } = await run(["decode", "--file", file]);
  assertEquals(code, 1);
  assertMatch(err, /^Cannot read \S+: No such file/);
});
