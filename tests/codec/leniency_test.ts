/** Each switch of DecodeOptions, on and off. */

import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  bytesNeeded,
  decode,
  type DecodeOptions,
  encode,
  ProxyProtocolError,
  type Tlvs,
} from "../../codec/mod.ts";
import { MIXED_LINES } from "./_captures.ts";
import { inet, local, net } from "./_facts.ts";
import { ascii, BLOCK4, BLOCK6, tlv, v2 } from "./_hex.ts";
import { ACCEPTED, forEachVector } from "./_vectors.ts";

function assertRefused(
  bytes: Uint8Array,
  options: DecodeOptions,
  code: ProxyProtocolError["code"],
): void {
  const error = assertThrows(() => decode(bytes, options), ProxyProtocolError);
  assertEquals(error.code, code);
}

/** `info.tlvs`; the bytes must be a whole header. */
function tlvsOf(bytes: Uint8Array, options: DecodeOptions): Tlvs {
  const info = decode(bytes, options);
  assert(info !== undefined);
  assertEquals(info.raw, bytes);
  return info.tlvs;
}

const WRONG_CRC = tlv("03", "00000001");

Deno.test("decode() takes a wrong checksum only with checksum ignore", () => {
  for (const start of ["2111", "2011"]) {
    const bytes = v2(start, BLOCK4 + WRONG_CRC);
    assertRefused(bytes, {}, "checksum");
    assertRefused(bytes, { checksum: "verify" }, "checksum");
    assertRefused(bytes, { tlvs: "lenient" }, "checksum");
    assertEquals(tlvsOf(bytes, { checksum: "ignore" }), { CRC32C: 1 });
  }
});

Deno.test("decode() refuses a checksum of 3 bytes with checksum ignore too", () => {
  const bytes = v2("2111", BLOCK4 + tlv("03", "000001"));
  assertRefused(bytes, { checksum: "ignore" }, "tlv");
});

Deno.test("decode() verifies one flipped bit anywhere with a checksum", () => {
  const bytes = v2("2111", BLOCK4 + tlv("01", "6832") + tlv("03", "12e81190"));
  for (let at = 16; at < bytes.length; at++) {
    // A changed type or length byte would be another header.
    if (at >= 28 && at < 31 || at >= 33 && at < 36) continue;
    for (let bit = 0; bit < 8; bit++) {
      const flipped = bytes.slice();
      flipped[at] = (flipped[at] ?? 0) ^ 1 << bit;
      assertRefused(flipped, {}, "checksum");
    }
  }
});

/** TLVs that are refused, what is read of them leniently. */
const MALFORMED: readonly [string, string, Tlvs][] = [
  ["1 stray byte", "ff", {}],
  ["2 stray bytes", "ffff", {}],
  ["a stray byte behind a TLV", tlv("01", "6832") + "00", { ALPN: "h2" }],
  [
    "a TLV that overruns the header",
    tlv("01", "6832") + "e0000461",
    { ALPN: "h2" },
  ],
  [
    "a UNIQUE_ID of 129 bytes",
    tlv("05", "61".repeat(129)) + tlv("01", "6832"),
    { ALPN: "h2" },
  ],
  [
    "a CRC32C of 3 bytes",
    tlv("03", "010203") + tlv("01", "6832"),
    { ALPN: "h2" },
  ],
  [
    "a CRC32C of 5 bytes",
    tlv("03", "0102030405") + tlv("01", "6832"),
    { ALPN: "h2" },
  ],
  [
    "an SSL of 4 bytes",
    tlv("20", "01000000") + tlv("01", "6832"),
    { SSL: false, ALPN: "h2" },
  ],
  ["an SSL of no bytes", tlv("20"), { SSL: false }],
  [
    "a stray byte in SSL",
    tlv("20", "0100000001" + tlv("21", "61") + "22") + tlv("01", "6832"),
    {
      SSL: false,
      SSL_CLIENT: 1,
      SSL_VERIFY: 1,
      SSL_VERSION: "a",
      ALPN: "h2",
    },
  ],
  [
    "a sub-TLV that overruns its SSL",
    tlv("20", "0100000001" + "21000461") + tlv("01", "6832"),
    { SSL: false, SSL_CLIENT: 1, SSL_VERIFY: 1, ALPN: "h2" },
  ],
];

for (const [name, digits, tlvs] of MALFORMED) {
  Deno.test(`decode() takes ${name} only with tlvs lenient`, () => {
    const bytes = v2("2111", BLOCK4 + digits);
    const lenient = { tlvs: "lenient" } as const;
    assertRefused(bytes, {}, "tlv");
    assertRefused(bytes, { tlvs: "strict" }, "tlv");
    assertRefused(bytes, { checksum: "ignore" }, "tlv");
    assertEquals(tlvsOf(bytes, lenient), tlvs);
    assertEquals(decode(bytes, lenient)?.source, inet().source);
    for (let length = 0; length < bytes.length; length++) {
      const prefix = bytes.subarray(0, length);
      assertEquals(decode(prefix, lenient), undefined);
      assert(length + bytesNeeded(prefix, lenient) <= bytes.length);
    }
  });

  Deno.test(`decode() takes ${name} on LOCAL and UNSPEC`, () => {
    for (const start of ["2000", "2100", "2101", "2102"]) {
      assertEquals(tlvsOf(v2(start, digits), {}), tlvs);
    }
    for (const start of ["2110", "2111"]) {
      const bytes = v2(start, BLOCK4 + digits);
      assertRefused(bytes, {}, "tlv"); // there the block says where TLVs begin
      assertEquals(tlvsOf(bytes, { tlvs: "lenient" }), tlvs);
    }
    assertEquals(tlvsOf(v2("2011", BLOCK4 + digits), {}), tlvs);
  });
}

Deno.test("decode() reads LOCAL without a family, addresses or length", () => {
  const info = decode(v2("2021", BLOCK6 + tlv("01", "6832")));
  assert(info !== undefined);
  const { raw: _, rest, tlv_loc, ...facts } = info;
  assertEquals(facts, local({ ALPN: "h2" }, 52));
  assertEquals([rest.length, tlv_loc], [5, { ALPN: 0 }]);
});

const MIXED = { mixedTcp6: true } as const;

for (const { name, bytes } of MIXED_LINES) {
  Deno.test(`decode() takes ${name} only with mixedTcp6`, () => {
    assertRefused(bytes, {}, "address");
    assertRefused(bytes, { mixedTcp6: false }, "address");
    assertRefused(bytes, { unmap: true, tlvs: "lenient" }, "address");
    assertEquals(decode(bytes, MIXED)?.family, "INET6");
  });
}

/** Lines of TCP6 with plain IPv4; family as told, and with `unmap`. */
const MIXED_FORMS = [
  ["192.0.2.1", "2001:db8::2", "INET6", "INET6"],
  ["2001:db8::2", "192.0.2.1", "INET6", "INET6"],
  ["192.0.2.1", "198.51.100.1", "INET6", "INET"],
] as const;

for (const [source, destination, family, unmapped] of MIXED_FORMS) {
  Deno.test(`decode() shows ${source} ${destination} of TCP6 as they are with mixedTcp6`, () => {
    const bytes = ascii(`PROXY TCP6 ${source} ${destination} 1 2\r\n`);
    assertRefused(bytes, {}, "address");
    const info = decode(bytes, MIXED);
    assertEquals(info?.source, net(source, 1));
    assertEquals(info?.destination, net(destination, 2));
    assertEquals(info?.family, family);
    const both = decode(bytes, { ...MIXED, unmap: true });
    assertEquals([both?.source, both?.destination, both?.family], [
      info?.source,
      info?.destination,
      unmapped,
    ]);
  });
}

Deno.test("decode() stays strict in all else with mixedTcp6", () => {
  for (
    const line of [
      "PROXY TCP6 192.0.2.256 :: 1 2\r\n",
      "PROXY TCP6 192.0.2 :: 1 2\r\n",
      "PROXY TCP6 192.0.02.1 :: 1 2\r\n",
      "PROXY TCP6 1:192.0.2.1 :: 1 2\r\n",
      "PROXY TCP6 a.0.2.1 :: 1 2\r\n",
      "PROXY TCP4 192.0.2.1 :: 1 2\r\n",
      "PROXY TCP4 :: 192.0.2.1 1 2\r\n",
    ]
  ) assertRefused(ascii(line), MIXED, "address");
});

/** Ends of a header, whether mapped or not, and its family with `unmap`. */
const MAPPED_FORMS = [
  ["::ffff:192.0.2.1", "::ffff:198.51.100.1", "INET"],
  ["::ffff:192.0.2.1", "2001:db8::2", "INET6"],
  ["2001:db8::2", "::ffff:192.0.2.1", "INET6"],
  ["2001:db8::1", "2001:db8::2", "INET6"],
  ["::", "::1", "INET6"],
  ["::fffe:102:304", "::ffff:0:102:304", "INET6"],
] as const;

for (const version of [1, 2] as const) {
  for (const [source, destination, family] of MAPPED_FORMS) {
    Deno.test(`decode() unmaps v${version} ${source} ${destination} only with unmap`, () => {
      const bytes = version === 1
        ? ascii(`PROXY TCP6 ${source} ${destination} 1 2\r\n`)
        : encode({ source: net(source, 1), destination: net(destination, 2) });
      for (const options of [{}, { unmap: false }, MIXED]) {
        const info = decode(bytes, options);
        assertEquals([info?.source, info?.destination, info?.family], [
          net(source, 1),
          net(destination, 2),
          "INET6",
        ]);
      }
      const info = decode(bytes, { unmap: true });
      assertEquals([info?.source, info?.destination, info?.family], [
        net(source.replace("::ffff:1", "1"), 1),
        net(destination.replace("::ffff:1", "1"), 2),
        family,
      ]);
      assertEquals(info?.raw, bytes);
    });
  }
}

Deno.test("decode() leaves a header without IPv6 alone with unmap", () => {
  forEachVector(({ bytes, options, expected }) => {
    if (expected.family === "INET6") return;
    assertEquals(
      decode(bytes, { ...options, unmap: true }),
      decode(bytes, options),
    );
  });
});

Deno.test("decode() refuses the first byte of a version that is not asked for", () => {
  forEachVector(({ bytes, options, expected }) => {
    const versions = expected.version === 1 ? [2] as const : [1] as const;
    for (const length of [1, bytes.length]) {
      const error = assertThrows(
        () => bytesNeeded(bytes.subarray(0, length), { ...options, versions }),
        ProxyProtocolError,
      );
      const code = length === 1 ? "signature" : "version";
      assertEquals([error.code, error.offset], [code, 0]);
    }
  });
});

Deno.test("bytesNeeded() of no bytes is the shortest header that is asked for", () => {
  const none = new Uint8Array();
  assertEquals(bytesNeeded(none), 15);
  assertEquals(bytesNeeded(none, { versions: [1, 2] }), 15);
  assertEquals(bytesNeeded(none, { versions: [1] }), 15);
  assertEquals(bytesNeeded(none, { versions: [2] }), 16);
});

Deno.test("decode() takes a header of maxLength bytes and none longer", () => {
  forEachVector(({ bytes, options, expected }) => {
    const maxLength = bytes.length;
    assertEquals(
      decode(bytes, { ...options, maxLength }),
      decode(bytes, options),
    );
    assertRefused(
      bytes,
      { ...options, maxLength: maxLength - 1 },
      expected.version === 1 ? "line" : "length",
    );
  });
});

Deno.test("decode() refuses a longer announcement at once", () => {
  const head = v2("2111", BLOCK4 + tlv("e0", "00".repeat(85))).subarray(0, 16);
  assertEquals(bytesNeeded(head, { maxLength: 116 }), 100);
  assertRefused(head, { maxLength: 115 }, "length");
});

Deno.test("decode() takes the longest header there is with maxLength", () => {
  const bytes = v2("2111", BLOCK4 + tlv("e0", "78".repeat(65520)));
  assertEquals(bytes.length, 16 + 0xffff);
  assertRefused(bytes, {}, "length");
  const info = decode(bytes, { maxLength: 65551 });
  assertEquals(info?.tlvs.xE0?.length, 65520);
});

Deno.test("decode() refuses a maxLength that is no length", () => {
  for (const maxLength of [0, -1, NaN]) {
    assertThrows(
      () => decode(ascii("PROXY UNKNOWN\r\n"), { maxLength }),
      RangeError,
      "maxLength",
    );
  }
});

Deno.test("decode() never takes a line of over 107 bytes", () => {
  const bytes = ascii(`PROXY UNKNOWN ${"x".repeat(92)}\r\n`);
  assertEquals(bytes.length, 108);
  assertRefused(bytes, { maxLength: 65551 }, "line");
});

Deno.test("decode() takes each switch where it changes nothing", () => {
  const options: DecodeOptions = {
    checksum: "ignore",
    tlvs: "lenient",
    mixedTcp6: true,
    versions: [1, 2],
    maxLength: 65551,
  };
  for (const { name, bytes, options: own, expected } of ACCEPTED) {
    const info = decode(bytes, options);
    assertEquals(info, decode(bytes, own), name);
    assertEquals(info?.command, expected.command);
  }
});
