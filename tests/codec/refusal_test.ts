import { assert, assertEquals, assertThrows } from "@std/assert";
import { concat } from "@std/bytes";
import {
  bytesNeeded,
  decode,
  type DecodeOptions,
  ProxyProtocolError,
} from "../../codec/mod.ts";
import {
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
    const { message } = refusalOf(bytes, options);
    assert(/^Cannot decode (PROXY|TLVs)[^\p{Cc}]+[^.]$/u.test(message), name);
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

Deno.test("decode() says which value of the fixed part is undefined", () => {
  const messageOf = (digits: string) =>
    assertThrows(() => decode(hex(SIGNATURE_HEX + digits)), ProxyProtocolError)
      .message;
  const start = "Cannot decode PROXY v2 header:";
  assertEquals(messageOf("31"), `${start} version 3`);
  assertEquals(messageOf("27"), `${start} undefined command 7`);
  assertEquals(messageOf("2151"), `${start} undefined family 5`);
  assertEquals(messageOf("2119"), `${start} undefined transport 9`);
});

Deno.test("decode() says how many bytes a TLV lacks", () => {
  const messageOf = (digits: string) =>
    assertThrows(() => decode(v2("2111", BLOCK4 + digits)), ProxyProtocolError)
      .message;
  const start = "Cannot decode TLVs:";
  assertEquals(messageOf("ffff"), `${start} a TLV needs 3 bytes, 2 left`);
  assertEquals(
    messageOf(tlv("04", "00") + "e0000461"),
    `${start} xE0 needs 4 bytes, 1 left`,
  );
  assertEquals(
    messageOf(tlv("03", "010203")),
    `${start} CRC32C takes 4 to 4 bytes, received 3`,
  );
});

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
  const message = /: CRC32C is 0a0b0c0d, expected ([\da-f]{8})$/;
  const [, expected = ""] = message.exec(error.message) ?? [];
  const right = v2("2111", BLOCK4 + tlv("03", expected));
  assertEquals(decode(right)?.tlvs.CRC32C, parseInt(expected, 16));
});
