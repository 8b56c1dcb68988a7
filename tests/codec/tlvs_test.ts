import {
  assert,
  assertEquals,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import { Buffer } from "node:buffer";
import {
  decode,
  decodeTlvs,
  encodeTlvs,
  ProxyProtocolError,
  type RawTlv,
  readTlvs,
  type Tlvs,
} from "../../codec/mod.ts";
import { ascii, hex, tlv, toHex } from "./_hex.ts";
import { forEachVector } from "./_vectors.ts";

/** SSL between two others; the second is a duplicate. */
const DIGITS = tlv("e0", "61") + tlv("01", "6832") +
  tlv("20", "0500000002" + tlv("21", "6162") + tlv("2a", "ff")) +
  tlv("e0");

Deno.test("readTlvs() keeps order, offsets and duplicates", () => {
  assertEquals([...readTlvs(hex(DIGITS))], [
    { type: 0xe0, offset: 0, value: hex("61") },
    { type: 0x01, offset: 4, value: hex("6832") },
    { type: 0x20, offset: 9, value: hex("0500000002210002616 22a0001ff") },
    { type: 0xe0, offset: 26, value: hex("") },
  ]);
});

Deno.test("readTlvs() reads the sub-TLVs behind 5 bytes of SSL", () => {
  const [, , ssl] = readTlvs(hex(DIGITS));
  assert(ssl !== undefined);
  assertEquals([...readTlvs(ssl.value.subarray(5))], [
    { type: 0x21, offset: 0, value: hex("6162") },
    { type: 0x2a, offset: 5, value: hex("ff") },
  ]);
});

Deno.test("readTlvs() gives views, not copies", () => {
  const larger = hex("ffff" + DIGITS + "ffff");
  for (const { offset, value } of readTlvs(larger.subarray(2, -2))) {
    assertStrictEquals(value.buffer, larger.buffer);
    assertStrictEquals(value.byteOffset, 2 + offset + 3);
  }
});

Deno.test("readTlvs() and decodeTlvs() give plain views of a Buffer", () => {
  const buffer = Buffer.from(hex(DIGITS));
  const [first] = readTlvs(buffer);
  assertEquals(first?.value, hex("61"));
  assertEquals(decodeTlvs(buffer), decodeTlvs(hex(DIGITS)));
});

Deno.test("readTlvs() reads nothing of no bytes", () => {
  assertEquals([...readTlvs(new Uint8Array())], []);
});

Deno.test("readTlvs() reads those before the one that does not fit", () => {
  for (const bad of ["e0", "e000", "e00001", "e0000261", "e0ffff"]) {
    const tlvs = readTlvs(hex(tlv("01", "6832") + bad));
    assertEquals(tlvs.next().value, {
      type: 1,
      offset: 0,
      value: ascii("h2"),
    });
    const error = assertThrows(() => tlvs.next(), ProxyProtocolError);
    assertEquals([error.code, error.offset], ["tlv", 5]);
  }
});

Deno.test("readTlvs() does not look at values", () => {
  const digits = tlv("03", "01") + tlv("05", "00".repeat(200)) + tlv("20");
  assertEquals([...readTlvs(hex(digits))].map(({ type }) => type), [3, 5, 32]);
});

Deno.test("encodeTlvs() gives back what readTlvs() read", () => {
  forEachVector(({ bytes, options, expected }) => {
    const info = decode(bytes, options);
    // Without an address block the rest need not be TLVs.
    if (info?.version !== 2 || expected.source === undefined) return;
    assertEquals(encodeTlvs(readTlvs(info.rest)), info.rest);
  });
});

Deno.test("decodeTlvs() reads one flat record with locations", () => {
  for (const options of [{}, { partial: false }, { partial: true }]) {
    assertEquals(decodeTlvs(hex(DIGITS), options), {
      tlvs: {
        xE0: hex(""),
        ALPN: "h2",
        SSL: true,
        SSL_CLIENT: 5,
        SSL_VERIFY: 2,
        SSL_VERSION: "ab",
        x2A: hex("ff"),
      },
      tlv_loc: { xE0: 26, ALPN: 4, SSL: 9, SSL_VERSION: 17, x2A: 22 },
    });
  }
});

Deno.test("decodeTlvs() says the same as decode()", () => {
  forEachVector(({ bytes, options }) => {
    const info = decode(bytes, options);
    if (info?.version !== 2) return;
    const { tlvs, tlv_loc } = info;
    assertEquals(decodeTlvs(info.rest, { partial: true }), { tlvs, tlv_loc });
  });
});

Deno.test("decodeTlvs() verifies no checksum", () => {
  assertEquals(decodeTlvs(hex(tlv("03", "ffffffff"))).tlvs, {
    CRC32C: 0xffffffff,
  });
});

Deno.test("decodeTlvs() of no bytes is empty", () => {
  assertEquals(decodeTlvs(new Uint8Array()), { tlvs: {}, tlv_loc: {} });
});

/** Malformed TLVs, the offset that is named, what `partial` reads. */
const MALFORMED: readonly [string, number, Tlvs][] = [
  ["01", 0, {}],
  ["010000" + "01", 3, { ALPN: "" }],
  ["010000" + "0200", 3, { ALPN: "" }],
  ["e00001", 0, {}],
  [tlv("e0", "61") + "e10003" + "6162", 4, { xE0: hex("61") }],
  [tlv("03", "010203") + tlv("01", "61"), 0, { ALPN: "a" }],
  [tlv("01", "61") + tlv("05", "00".repeat(129)), 4, { ALPN: "a" }],
  [tlv("20", "01020304") + tlv("01", "61"), 0, { SSL: false, ALPN: "a" }],
  [
    tlv("20", "01020304" + "05" + tlv("21", "61") + "2200") + tlv("01", "61"),
    12,
    {
      SSL: false,
      SSL_CLIENT: 1,
      SSL_VERIFY: 0x02030405,
      SSL_VERSION: "a",
      ALPN: "a",
    },
  ],
];

for (const [digits, offset, tlvs] of MALFORMED) {
  Deno.test(`decodeTlvs() refuses ${digits.slice(0, 40)}, unless partial`, () => {
    const error = assertThrows(
      () => decodeTlvs(hex(digits)),
      ProxyProtocolError,
    );
    assertEquals([error.code, error.offset, error.version], ["tlv", offset, 2]);
    assertEquals(decodeTlvs(hex(digits), { partial: true }).tlvs, tlvs);
  });
}

Deno.test("decodeTlvs() keeps sub-TLV types outside SSL apart from SSL", () => {
  assertEquals(decodeTlvs(hex(tlv("21", "61"))), {
    tlvs: { SSL_VERSION: "a" },
    tlv_loc: { SSL_VERSION: 0 },
  });
});

Deno.test("decodeTlvs() takes no other TLV out of SSL", () => {
  const inside = tlv("02", "61") + tlv("03", "00000000") + tlv("30", "62") +
    tlv("20", "0700000000");
  assertEquals(decodeTlvs(hex(tlv("20", "0100000001" + inside))).tlvs, {
    SSL: true,
    SSL_CLIENT: 1,
    SSL_VERIFY: 1,
  });
});

Deno.test("decodeTlvs() does not follow SSL in SSL", () => {
  // 8 bytes a level, to the end of what a length can tell.
  let digits = "";
  const levels = 8000;
  for (let level = 0; level < levels; level++) {
    const length = (5 + 8 * level).toString(16).padStart(4, "0");
    digits = `20${length}${
      level === levels - 1 ? "01" : "07"
    }00000000${digits}`;
  }
  const { tlvs, tlv_loc } = decodeTlvs(hex(digits));
  assertEquals(tlvs, { SSL: true, SSL_CLIENT: 1, SSL_VERIFY: 0 });
  assertEquals(tlv_loc, { SSL: 0 });
});

/** Records and the bytes they are, by hand. */
const ENCODED: readonly [string, Tlvs, string][] = [
  ["nothing", {}, ""],
  ["text", { ALPN: "h2", AUTHORITY: "\u00e9" }, "0100026832" + "020002c3a9"],
  ["a checksum as it is given", { CRC32C: 0xfedcba98 }, "030004fedcba98"],
  ["bytes", { NOOP: hex("00"), UNIQUE_ID: hex("") }, "04000100" + "050000"],
  ["unnamed types", { xEA: hex("01"), x00: hex("") }, "ea000101" + "000000"],
  ["a named type by its number", { x01: hex("6832") }, "0100026832"],
  [
    "SSL with its sub-TLVs",
    {
      SSL: true,
      SSL_CLIENT: 3,
      SSL_VERIFY: 0xfffffffe,
      SSL_CN: "a",
      SSL_CLIENT_CERT: hex("30"),
    },
    tlv("20", "03fffffffe" + "22000161" + "28000130"),
  ],
  [
    "SSL at the place of its first part, its sub-TLVs in order",
    {
      ALPN: "a",
      SSL_VERSION: "b",
      NETNS: "c",
      SSL_CN: "d",
      x2F: hex("65"),
      SSL_VERIFY: 0,
      NOOP: hex(""),
    },
    "01000161" +
    tlv("20", "0100000000" + "21000162" + "22000164" + "2f000165") +
    "30000163" + "040000",
  ],
  ["SSL that says no more", { SSL: true }, "200005" + "0100000001"],
  ["SSL of bits alone", { SSL_CLIENT: 0 }, "200005" + "0000000001"],
  [
    "no SSL where it is false",
    { SSL: false, SSL_CLIENT: 1, SSL_CN: "a", ALPN: "b" },
    "01000162",
  ],
  ["a sub-TLV type outside SSL", { SSL_VERSION: "a" }, "21000161"],
  ["text that was not UTF-8", { ALPN: "\udc80a\udcff" }, "01000380" + "61ff"],
];

for (const [name, tlvs, digits] of ENCODED) {
  Deno.test(`encodeTlvs() writes ${name}`, () => {
    assertEquals(toHex(encodeTlvs(tlvs)), digits);
  });
}

function* raw(...types: number[]): Generator<RawTlv> {
  for (const type of types) yield { type, value: Uint8Array.of(type) };
}

Deno.test("encodeTlvs() writes any iterable in its order, duplicates too", () => {
  const digits = "e00001e0" + "01000101" + "e00001e0" + "ff0001ff";
  const types = [0xe0, 0x01, 0xe0, 0xff];
  assertEquals(toHex(encodeTlvs(raw(...types))), digits);
  assertEquals(toHex(encodeTlvs([...raw(...types)])), digits);
  assertEquals(toHex(encodeTlvs(new Set(raw(...types)))), digits);
});

Deno.test("encodeTlvs() writes 65535 bytes of a value", () => {
  const bytes = encodeTlvs({ xE0: new Uint8Array(65535) });
  assertEquals([bytes.length, toHex(bytes.subarray(0, 4))], [
    65538,
    "e0ffff00",
  ]);
});

/** As a caller without types may give them. */
function untyped(text: string): Tlvs {
  return JSON.parse(text);
}

for (
  const [text, message] of [
    ["null", "tlvs: expected a record or a list, received [object Null]"],
    ['"h2"', 'tlvs: expected a record or a list, received "h2"'],
    ["[null]", "tlvs: type must be 0 to 255, received undefined"],
    ['{"SSL": 1}', "tlvs.SSL: expected a boolean"],
    [
      '{"alpn": "h2"}',
      'tlvs.alpn: unknown name, did you mean "ALPN"?',
    ],
    ['{"xea": ""}', 'tlvs.xea: unknown name, did you mean "xEA"?'],
    ['{"sni": ""}', "tlvs.sni: unknown name"],
    ['{"CRC32C": -1}', "tlvs.CRC32C: must be 0 to 4294967295, received -1"],
    ['{"AL PN": "h2"}', 'tlvs["AL PN"]: unknown name, did you mean "ALPN"?'],
  ] as const
) {
  Deno.test(`encodeTlvs() refuses ${text} as TLVs`, () => {
    const error = assertThrows(() => encodeTlvs(untyped(text)));
    assert(error instanceof TypeError || error instanceof RangeError);
    assertEquals(error.message, `Cannot encode ${message}`);
  });
}

Deno.test("encodeTlvs() writes an SSL that the record inherits", () => {
  const tlvs: Tlvs = Object.create({ SSL: true });
  assertEquals(encodeTlvs(tlvs), hex(tlv("20", "0100000001")));
});

Deno.test("encodeTlvs() writes nothing of a TLV that is undefined", () => {
  assertEquals(encodeTlvs({ xEA: undefined }), new Uint8Array());
});

Deno.test("encodeTlvs() writes the first character that is not ASCII as UTF-8", () => {
  assertEquals(encodeTlvs({ ALPN: "\x7f" }), hex(tlv("01", "7f")));
  assertEquals(encodeTlvs({ ALPN: "\x80" }), hex(tlv("01", "c280")));
});

Deno.test("encodeTlvs() says that a text is no text", () => {
  const message = "Cannot encode tlvs.ALPN: lone surrogate";
  assertThrows(() => encodeTlvs({ ALPN: "\ud800" }), TypeError, message);
});
