import {
  assert,
  assertEquals,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import { concat } from "@std/bytes";
import { Buffer } from "node:buffer";
import { bytesNeeded, decode, encode, tlvType } from "../../codec/mod.ts";
import type { DecodeOptions, ProxyInfo } from "../../codec/mod.ts";
import type { Facts, Vector } from "./_facts.ts";
import { ascii } from "./_hex.ts";
import { RECEIVER_CASE_NAMES } from "./_receiver_cases.ts";
import { REFUSED } from "./_refusals.ts";
import { ACCEPTED, forEachVector, vectorNamed } from "./_vectors.ts";

function mustDecode(bytes: Uint8Array, options?: DecodeOptions): ProxyInfo {
  const info = decode(bytes, options);
  assert(info !== undefined, "asks for more bytes");
  return info;
}

/** An info without the parts that depend on its bytes. */
function factsOf({ raw: _, rest: __, tlv_loc: ___, ...facts }: ProxyInfo) {
  return facts;
}

for (const { name, bytes, options, expected } of ACCEPTED) {
  Deno.test(`decode() reads ${name}`, () => {
    const info = mustDecode(bytes, options);
    assertEquals<Facts>(factsOf(info), expected);
    assertEquals(Object.keys(info.tlvs), Object.keys(expected.tlvs));
    assertEquals(info.raw, bytes);
    assertEquals(bytesNeeded(bytes, options), 0);
  });
}

Deno.test("decode() is tested with every capture and every receiver case", () => {
  const names = [...ACCEPTED, ...REFUSED].map(({ name }) => name);
  assertEquals(new Set(names).size, names.length);
  for (const name of RECEIVER_CASE_NAMES) assert(names.includes(name), name);
  const captures = ACCEPTED.filter(({ name }) =>
    name.startsWith("the capture")
  );
  assertEquals(captures.length, 118);
});

Deno.test("decode() gives what follows the address block as rest in v2", () => {
  forEachVector(({ bytes, options, expected }) => {
    if (expected.version === 1) return;
    const { rest } = mustDecode(bytes, options);
    assertEquals(rest, bytes.subarray(expected.tlv_start));
  });
});

Deno.test("decode() gives what follows the word as rest in v1 UNKNOWN", () => {
  forEachVector(({ bytes, options, expected }) => {
    if (expected.version === 2) return;
    const isUnknown = expected.family === "UNSPEC";
    const rest = isUnknown ? bytes.subarray(13, -2) : new Uint8Array();
    assertEquals(mustDecode(bytes, options).rest, rest);
  });
});

Deno.test("decode() asks for more at every prefix of a header", () => {
  forEachVector(({ bytes, options }) => {
    for (let length = 0; length < bytes.length; length++) {
      const prefix = bytes.subarray(0, length);
      assertStrictEquals(decode(prefix, options), undefined);
      const needed = bytesNeeded(prefix, options);
      assert(needed >= 1, `${needed} needed at ${length}`);
      assert(length + needed <= bytes.length, `${needed} needed at ${length}`);
    }
  });
});

Deno.test("decode() leaves the payload behind a header alone", () => {
  const everyByte = Uint8Array.from({ length: 256 }, (_, byte) => byte);
  forEachVector(({ bytes, options, payload = everyByte }) => {
    const alone = mustDecode(bytes, options);
    // The second payload looks like more of the header.
    for (const behind of [payload, bytes]) {
      const both = concat([bytes, behind]);
      const info = mustDecode(both, options);
      assertStrictEquals(info.raw.byteLength, bytes.byteLength);
      assertEquals(info, alone);
      assertEquals(both.subarray(info.raw.byteLength), behind);
      assertStrictEquals(bytesNeeded(both, options), 0);
    }
  });
});

Deno.test("bytesNeeded() leads a reader exactly to the end of a header", () => {
  forEachVector(({ bytes, options, expected }) => {
    let at = 0;
    let reads = 0;
    for (;;) {
      const needed = bytesNeeded(bytes.subarray(0, at), options);
      if (needed === 0) break;
      at += needed;
      reads++;
      assert(at <= bytes.length, `reads ${at} of ${bytes.length} bytes`);
    }
    assertStrictEquals(at, bytes.length);
    // UNKNOWN is read by twos: nothing but CRLF says where it ends.
    const isUnknown = expected.family === "UNSPEC";
    const most = expected.version === 2 ? 3 : isUnknown ? 47 : 14;
    assert(reads <= most, `${reads} reads`);
  });
});

Deno.test("decode() takes a header of a version that is asked for", () => {
  forEachVector(({ bytes, options, expected: { version } }) => {
    const all = mustDecode(bytes, options);
    const only = { ...options, versions: [version] };
    assertEquals(mustDecode(bytes, only), all);
    for (let length = 1; length < bytes.length; length++) {
      const prefix = bytes.subarray(0, length);
      assertStrictEquals(
        bytesNeeded(prefix, only),
        bytesNeeded(prefix, options),
      );
    }
  });
});

Deno.test("decode() takes a Buffer and gives plain views", () => {
  forEachVector(({ bytes, options }) => {
    const buffer = Buffer.from(bytes);
    const info = mustDecode(buffer, options);
    assertEquals(info, mustDecode(bytes, options));
    assertStrictEquals(info.raw.buffer, buffer.buffer);
    assertStrictEquals(info.raw.byteOffset, buffer.byteOffset);
    for (const view of [info.raw, info.rest]) {
      assertStrictEquals(Object.getPrototypeOf(view), Uint8Array.prototype);
    }
  });
});

Deno.test("decode() takes a view into the middle of a larger buffer", () => {
  forEachVector(({ bytes, options }) => {
    const larger = new Uint8Array(bytes.length + 20).fill(0x20);
    larger.set(bytes, 7);
    const view = larger.subarray(7, 7 + bytes.length);
    const info = mustDecode(view, options);
    assertEquals(info, mustDecode(bytes, options));
    assertStrictEquals(info.raw.buffer, larger.buffer);
    for (const cut of [1, 15, 16, 17, 29, 30, 31, bytes.length - 1]) {
      const prefix = bytes.subarray(0, cut);
      assertStrictEquals(
        bytesNeeded(view.subarray(0, cut), options),
        bytesNeeded(prefix, options),
      );
    }
  });
});

Deno.test("decode() never writes to the bytes", () => {
  forEachVector(({ bytes, options }) => {
    const copy = bytes.slice();
    decode(bytes, options);
    assertEquals(bytes, copy);
  });
});

Deno.test("encode() gives the bytes of a decoded header back", () => {
  forEachVector(({ bytes, options, canonical = bytes }) => {
    assertEquals(encode(mustDecode(bytes, options)), canonical);
  });
});

/** What a header says of the connection; its checksum is of its bytes. */
function saysOf({ version, command, family, transport, ...info }: ProxyInfo) {
  const { CRC32C: _, ...tlvs } = info.tlvs;
  const { source, destination } = info;
  return { version, command, family, transport, source, destination, tlvs };
}

Deno.test("encode() says the same as the header that was decoded", () => {
  forEachVector(({ bytes, options }) => {
    // A plain IPv4 address of a TCP6 line comes back mapped.
    const unmap = { ...options, unmap: true };
    const again = mustDecode(encode(mustDecode(bytes, options)), unmap);
    assertEquals(saysOf(again), saysOf(mustDecode(bytes, unmap)));
  });
});

/** The bytes of a value in `Tlvs`, by the kind it has there. */
function bytesOf(value: unknown): Uint8Array {
  if (value instanceof Uint8Array) return value;
  if (typeof value === "number") {
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setUint32(0, value);
    return bytes;
  }
  assert(typeof value === "string");
  // A lone surrogate stands for a byte over 0x7F of text that is not UTF-8.
  return value.isWellFormed()
    ? new TextEncoder().encode(value)
    : Uint8Array.from(value, (character) => character.charCodeAt(0) & 0xff);
}

function checkLocations({ bytes, options }: Vector): void {
  const { raw, tlvs, tlv_loc, tlv_start = NaN } = mustDecode(bytes, options);
  const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
  const values = new Map<string, unknown>(Object.entries(tlvs));
  const located = [...values.keys()]
    .filter((name) => name !== "SSL_CLIENT" && name !== "SSL_VERIFY");
  assertEquals(Object.keys(tlv_loc), located);
  for (const [name, location] of Object.entries(tlv_loc)) {
    const at = tlv_start + location;
    const value = raw.subarray(at + 3, at + 3 + view.getUint16(at + 1));
    assertStrictEquals(raw[at], tlvType(name));
    if (name === "SSL") {
      assertStrictEquals(value[0], tlvs.SSL_CLIENT);
      assertStrictEquals(view.getUint32(at + 4), tlvs.SSL_VERIFY);
    } else {
      assertEquals(bytesOf(values.get(name)), value, name);
    }
  }
}

Deno.test("decode() tells where each TLV and sub-TLV is", () => {
  forEachVector(checkLocations);
});

Deno.test("decode() counts the location of a sub-TLV from the first TLV", () => {
  const { bytes } = vectorNamed("the capture haproxy35-all");
  // 0xF0 of 3 bytes, CRC32C of 4, ALPN of 2, AUTHORITY of 11, UNIQUE_ID of 13,
  // then SSL, whose sub-TLVs begin 8 bytes on.
  assertEquals(mustDecode(bytes).tlv_loc, {
    xF0: 0,
    CRC32C: 6,
    ALPN: 13,
    AUTHORITY: 18,
    UNIQUE_ID: 32,
    SSL: 48,
    SSL_VERSION: 56,
    SSL_CN: 66,
    SSL_KEY_ALG: 83,
    SSL_SIG_ALG: 93,
    SSL_CIPHER: 106,
  });
});

Deno.test("decode() gives data that JSON can carry", () => {
  const info = mustDecode(ascii("PROXY TCP4 192.0.2.1 198.51.100.1 1 2\r\n"));
  const { source, destination, version, command } = JSON.parse(
    JSON.stringify(info),
  );
  assertEquals({ version, command, source, destination }, {
    version: 1,
    command: "PROXY",
    source: { transport: "tcp", hostname: "192.0.2.1", port: 1 },
    destination: { transport: "tcp", hostname: "198.51.100.1", port: 2 },
  });
});

Deno.test("decode() refuses what is not a Uint8Array", () => {
  // A type check would stop this; JavaScript callers have none.
  const wrong: unknown[] = [[0x50, 0x52]];
  for (const read of [decode, bytesNeeded]) {
    assertThrows(() => Reflect.apply(read, undefined, wrong), TypeError);
  }
});

Deno.test("decode() waits for more than a Buffer whose bytes were given away", () => {
  const buffer = Buffer.from(new ArrayBuffer(16));
  structuredClone(buffer.buffer, { transfer: [buffer.buffer] });
  assertEquals(decode(buffer), undefined);
});
