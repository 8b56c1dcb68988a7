import { assert, assertEquals } from "@std/assert";
import { decode, describe } from "../../codec/mod.ts";
import { ascii, BLOCK4, hex, textHex, tlv, v2 } from "./_hex.ts";
import { ACCEPTED, vectorNamed } from "./_vectors.ts";

const ENDS = "192.0.2.1:56324 -> 198.51.100.1:443";

/** TLVs after a TCP4 block, and the words for them. */
const WORDS: readonly (readonly [string, string])[] = [
  ["", ""],
  [tlv("01", "6832"), ' ALPN="h2"'],
  [tlv("02", textHex('a"b\n')), ' AUTHORITY="a\\"b\\n"'],
  [tlv("02", "1b5b324ae280ae"), ' AUTHORITY="\\u001b[2J\\u202e"'],
  [tlv("05", "0aff"), " UNIQUE_ID=0x0aff"],
  [tlv("05", textHex("id-1")), ' UNIQUE_ID="id-1"'],
  [tlv("04"), ' NOOP=""'],
  [tlv("ea", "0161"), " xEA=0x0161"],
  [tlv("02", "61".repeat(128)), ` AUTHORITY="${"a".repeat(128)}"`],
  [tlv("02", "61".repeat(129)), ` AUTHORITY="${"a".repeat(128)}"...`],
  [tlv("e1", "ff".repeat(64)), ` xE1=0x${"ff".repeat(64)}`],
  [tlv("e1", "ff".repeat(65)), ` xE1=0x${"ff".repeat(64)}...(65 bytes)`],
  [
    tlv("20", "0100000000" + tlv("21", textHex("TLSv1.3"))),
    ' SSL_CLIENT=1 SSL_VERIFY=0 SSL_VERSION="TLSv1.3" client=unverified',
  ],
  [tlv("20", "0300000000"), " SSL_CLIENT=3 SSL_VERIFY=0 client=verified"],
];

for (const [digits, words] of WORDS) {
  Deno.test(`describe() says${words.slice(0, 40) || " nothing of no TLVs"}`, () => {
    const info = decode(v2("2111", BLOCK4 + digits));
    assertEquals(describe(info), `v2 PROXY INET STREAM ${ENDS}${words}`);
  });
}

Deno.test("describe() says what has no addresses, and what has no header", () => {
  assertEquals(describe(undefined), "no header");
  assertEquals(describe(decode(ascii("PROXY UNKNOWN x\r\n"))), "v1 UNKNOWN");
  assertEquals(
    describe(decode(v2("2000", tlv("01", "6832")))),
    'v2 LOCAL ALPN="h2"',
  );
  assertEquals(describe(decode(v2("2100"))), "v2 PROXY UNSPEC UNSPEC");
});

Deno.test("describe() says of a checksum whether it is right, of copies too", () => {
  const { bytes } = vectorNamed("the capture haproxy35-all");
  const info = decode(bytes);
  assert(info !== undefined);
  for (const header of [info, { ...info, rest: hex("") }]) {
    assert(describe(header).includes(" CRC32C=right "), describe(header));
  }
  const wrong = decode(v2("2111", BLOCK4 + tlv("03", "00000000")), {
    checksum: "ignore",
  });
  assert(describe(wrong).endsWith(" CRC32C=WRONG"), describe(wrong));
});

Deno.test("describe() says anything on one line that no terminal obeys", () => {
  for (const { bytes, options } of ACCEPTED) {
    const line = describe(decode(bytes, options));
    assert(!/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u.test(line), line);
    assert(line.length < 4096, `${line.length}`);
  }
});

Deno.test("describe() says that a CRC32C which is in no header is wrong", () => {
  for (const bytes of [ascii("PROXY UNKNOWN\r\n"), v2("2111", BLOCK4)]) {
    const info = decode(bytes);
    assert(info !== undefined);
    const { tlvs, tlv_loc, raw } = info;
    const changed = { ...info, raw, tlv_loc, tlvs: { ...tlvs, CRC32C: 1 } };
    assert(describe(changed).includes("CRC32C=WRONG"), describe(changed));
    const misplaced = { ...changed, tlv_loc: { CRC32C: 0 } };
    if (info.version === 1) {
      assert(describe(misplaced).includes("CRC32C=WRONG"));
    }
  }
});
