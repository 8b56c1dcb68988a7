import { assert, assertEquals, assertThrows } from "@std/assert";
import { concat } from "@std/bytes";
import {
  bytesNeeded,
  decode,
  type DecodeOptions,
  decodeTlvs,
  ProxyProtocolError,
} from "../../codec/mod.ts";
import {
  ascii,
  BLOCK4,
  BLOCK6,
  BLOCK_LENGTHS,
  BLOCK_UNIX,
  hex,
  SIGNATURE_HEX,
  tlv,
  v2,
} from "./_hex.ts";
import { REFUSED } from "./_refusals.ts";

/** The refusal of both functions, which must be one. */
function refusalOf(
  bytes: Uint8Array,
  options?: DecodeOptions,
): ProxyProtocolError {
  const error = assertThrows(
    () => decode(bytes, options),
    ProxyProtocolError,
  );
  const other = assertThrows(
    () => bytesNeeded(bytes, options),
    ProxyProtocolError,
  );
  assertEquals(
    [error.code, error.offset, error.version, error.message],
    [other.code, other.offset, other.version, other.message],
  );
  return error;
}

/** What may follow: nothing, an end of line, zeroes, everything. */
const SUFFIXES = [
  new Uint8Array(),
  hex("0d0a"),
  new Uint8Array(300),
  Uint8Array.from({ length: 256 }, (_, byte) => byte),
];

for (const refusal of REFUSED) {
  const { name, bytes, options, code, offset, refusedAt, version } = refusal;
  Deno.test(`decode() refuses ${name}`, () => {
    const error = refusalOf(bytes.subarray(0, refusedAt), options);
    assertEquals([error.code, error.offset, error.version], [
      code,
      offset,
      version,
    ]);
    assertEquals(refusalOf(bytes, options).code, code);
  });
}

Deno.test("decode() refuses at the first byte that rules a header out", () => {
  for (const { name, bytes, options, refusedAt } of REFUSED) {
    for (let length = 0; length < refusedAt; length++) {
      const prefix = bytes.subarray(0, length);
      assertEquals(decode(prefix, options), undefined, name);
      assert(bytesNeeded(prefix, options) >= 1, name);
    }
  }
});

Deno.test("decode() keeps refusing whatever follows", () => {
  for (const { bytes, options, refusedAt } of REFUSED) {
    const refused = bytes.subarray(0, refusedAt);
    for (const suffix of SUFFIXES) {
      refusalOf(concat([refused, suffix]), options);
    }
    for (let length = refusedAt; length <= bytes.length; length++) {
      refusalOf(bytes.subarray(0, length), options);
    }
  }
});

Deno.test("ProxyProtocolError keeps a copy of the first 128 bytes received", () => {
  for (const { bytes, options, name } of REFUSED) {
    const { received } = refusalOf(bytes, options);
    assertEquals(received, Uint8Array.from(bytes.subarray(0, 128)), name);
    assert(received.buffer !== bytes.buffer, name);
  }
});

Deno.test("ProxyProtocolError says in its message what is wrong", () => {
  for (const { bytes, options, name } of REFUSED) {
    const { code, offset, message } = refusalOf(bytes, options);
    assert(/^[^\p{Cc}]+(?:[^.]|\.{3})$/u.test(message), name);
    // A signature that is recognised as something else needs no byte.
    const start = code === "signature"
      ? "No PROXY header: received "
      : "Cannot ";
    assert(message.startsWith(start), message);
    if (code === "signature" && !message.includes(" at byte ")) continue;
    const [, byte] = / at byte (\d+)(?=$|[,;])/.exec(message) ?? [];
    assertEquals(Number(byte), offset, message);
  }
});

/** What the 13th byte may be, by hand from section 2.2. */
const COMMANDS: ReadonlyMap<number, string> = new Map([
  [0x20, "LOCAL"],
  [0x21, "PROXY"],
]);

Deno.test("decode() refuses all but two of the 256 command bytes", () => {
  for (let byte = 0; byte < 256; byte++) {
    const prefix = hex(SIGNATURE_HEX + byteHex(byte));
    const bytes = hex(SIGNATURE_HEX + byteHex(byte) + "11000c" + BLOCK4);
    const command = COMMANDS.get(byte);
    if (command === undefined) {
      const { code, offset } = refusalOf(prefix);
      const isVersion2 = byte >= 0x20 && byte <= 0x2f;
      assertEquals([code, offset], [isVersion2 ? "command" : "version", 12]);
      assertEquals(refusalOf(bytes).code, code);
    } else {
      assertEquals(decode(bytes)?.command, command);
    }
  }
});

Deno.test("decode() refuses an undefined family byte as soon as it is in", () => {
  for (let byte = 0; byte < 256; byte++) {
    const prefix = hex(SIGNATURE_HEX + "21" + byteHex(byte));
    assertEquals(decode(hex(SIGNATURE_HEX + "20" + byteHex(byte))), undefined);
    if (BLOCK_LENGTHS.has(byte)) {
      assertEquals(decode(prefix), undefined);
    } else {
      const { code, offset } = refusalOf(prefix);
      assertEquals([code, offset], [
        byte > 0x3f ? "family" : "transport",
        13,
      ]);
    }
  }
});

Deno.test("bytesNeeded() tells the block's length from the family byte", () => {
  for (const [byte, block] of BLOCK_LENGTHS) {
    const proxy = hex(SIGNATURE_HEX + "21" + byteHex(byte));
    const local = hex(SIGNATURE_HEX + "20" + byteHex(byte));
    // A transport of UNSPEC may come without its block, LOCAL too.
    assertEquals(bytesNeeded(proxy), 2 + ((byte & 15) === 0 ? 0 : block));
    assertEquals(bytesNeeded(local), 2);
  }
});

Deno.test("decode() refuses every cut of an announced block", () => {
  for (
    const [family, block] of [["11", BLOCK4], ["21", BLOCK6], [
      "31",
      BLOCK_UNIX,
    ]] as const
  ) {
    for (let length = 0; length < block.length / 2; length++) {
      const announced = length.toString(16).padStart(4, "0");
      const head = SIGNATURE_HEX + "21" + family + announced;
      assertEquals(refusalOf(hex(head)).code, "length");
      const cut = hex(head + block.slice(0, 2 * length));
      assertEquals(refusalOf(cut).code, "length");
    }
  }
});

function byteHex(byte: number): string {
  return byte.toString(16).padStart(2, "0");
}

function messageOf(bytes: Uint8Array, options?: DecodeOptions): string {
  return refusalOf(bytes, options).message;
}

/** What is wrong with a header, byte, expected, received and the option that accepts it. */
const MESSAGES:
  readonly (readonly [string | Uint8Array, string, DecodeOptions?])[] = [
    ["31", "v2 header: unsupported version 3 at byte 12, expected 2"],
    [
      "27",
      "v2 header: undefined command 7 at byte 12, expected 0 (LOCAL) or 1 (PROXY)",
    ],
    [
      "2151",
      "v2 header: undefined family 5 at byte 13, expected 0 (UNSPEC), 1 (INET), 2 (INET6) or 3 (UNIX)",
    ],
    [
      "2119",
      "v2 header: undefined transport 9 at byte 13, expected 0 (UNSPEC), 1 (STREAM) or 2 (DGRAM)",
    ],
    [
      "21110004",
      "v2 header: header of 4 bytes after the length at byte 14, expected at least 12 for the addresses",
    ],
    [
      "2111ffff",
      "v2 header: header of 65551 bytes at byte 14, expected at most 4096; raise `maxLength` to accept it",
    ],
    [
      ascii("PROXY TCP4 192.0.2.256 "),
      'v1 header: octet over 255 at byte 21, received "6"',
    ],
    [
      ascii("PROXY TCP4 192.0.2.1 198.51.100.1 1 2\n"),
      "v1 header: not a port at byte 37, received 0x0a; a line ends with CRLF",
    ],
    [
      ascii("PROXY TCP6 192.0.2.1 "),
      'v1 header: IPv4 address in a TCP6 line at byte 14, received "."; `mixedTcp6: true` accepts it',
    ],
    [
      ascii("PROXY TCP6 1::192.0.2.1:2 "),
      'v1 header: not an IPv4 address at byte 23, received ":"',
    ],
    [
      ascii("PROXY TCP5"),
      'v1 header: expected TCP4, TCP6 or UNKNOWN at byte 9, received "5"',
    ],
    [
      ascii(`PROXY UNKNOWN ${"x".repeat(93)}`),
      "v1 header: line is longer than 107 bytes at byte 107",
    ],
    [
      ascii("PROXY UNKNOWN xxxxxx"),
      'v1 header: line is longer than 16 bytes at byte 16, received "x"; raise `maxLength` to accept it',
      { maxLength: 16 },
    ],
    [
      ascii("PROXY UNKNOWN\r\n"),
      "header: version 1 at byte 0, expected 2; `versions: [1, 2]` accepts both",
      { versions: [2] },
    ],
    [
      v2("2000"),
      "header: version 2 at byte 0, expected 1; `versions: [1, 2]` accepts both",
      { versions: [1] },
    ],
  ];

for (const [given, said, options] of MESSAGES) {
  Deno.test(`decode() says ${said}`, () => {
    const bytes = typeof given === "string"
      ? hex(SIGNATURE_HEX + given)
      : given;
    assertEquals(messageOf(bytes, options), `Cannot decode PROXY ${said}`);
  });
}

/** TLVs of a TCP4 header, and what is wrong with them. */
const TLV_MESSAGES: readonly (readonly [string, string])[] = [
  ["ffff", "TLV of 2 bytes at byte 28, expected at least 3"],
  [tlv("04", "00") + "e0000461", "xE0 of 4 bytes at byte 32, 1 left"],
  [tlv("03", "010203"), "CRC32C of 3 bytes at byte 28, expected 4"],
  [
    tlv("05", "00".repeat(129)),
    "UNIQUE_ID of 129 bytes at byte 28, expected at most 128",
  ],
  [tlv("20", "01"), "SSL of 1 bytes at byte 28, expected at least 5"],
];

for (const [digits, said] of TLV_MESSAGES) {
  Deno.test(`decode() says ${said}`, () => {
    assertEquals(
      messageOf(v2("2111", BLOCK4 + digits)),
      `Cannot decode TLVs: ${said}; \`tlvs: "lenient"\` accepts them`,
    );
    const from28 = said.replace(/byte (\d+)/, (_, at) => `byte ${at - 28}`);
    const { message } = assertThrows(
      () => decodeTlvs(hex(digits)),
      ProxyProtocolError,
    );
    assertEquals(
      message,
      `Cannot decode TLVs: ${from28}; \`partial: true\` accepts them`,
    );
  });
}

Deno.test("decode() waits for a TLV whose length needs its low byte to fit", () => {
  const header = v2("2111", BLOCK4 + tlv("e0", "00".repeat(257)));
  for (const length of [29, 30, 31, header.length - 1]) {
    assertEquals(decode(header.subarray(0, length)), undefined);
  }
  assertEquals(decode(header)?.tlvs["xE0"]?.length, 257);
});

Deno.test("decode() says both checksums when they differ, in hex", () => {
  const header = v2("2111", BLOCK4 + tlv("03", "0a0b0c0d"));
  const error = assertThrows(() => decode(header), ProxyProtocolError);
  const message =
    /: CRC32C mismatch at byte 31, header has 0x0a0b0c0d, computed 0x([\da-f]{8}); `checksum: "ignore"` accepts it$/;
  const [, expected = ""] = message.exec(error.message) ?? [];
  const right = v2("2111", BLOCK4 + tlv("03", expected));
  assertEquals(decode(right)?.tlvs.CRC32C, parseInt(expected, 16));
});
