/** Decoded headers that are encoded again: as they came, and as the caller changed them. */

import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  decode,
  encode,
  encodeInto,
  type EncodeOptions,
  type ProxyHeader,
  type ProxyInfo,
  type Tlvs,
} from "../../codec/mod.ts";
import { net } from "./_facts.ts";
import { BLOCK4, BLOCK_UNIX, hex, tlv, toHex, unixPath, v2 } from "./_hex.ts";
import { forEachVector } from "./_vectors.ts";

function infoOf(bytes: Uint8Array): ProxyInfo {
  const info = decode(bytes);
  assert(info !== undefined);
  return info;
}

/** What is written of TLVs after a change of the record; hex. */
function changed(
  digits: string,
  change: (tlvs: Tlvs) => Tlvs,
  options?: EncodeOptions,
): string {
  const info = infoOf(v2("2111", BLOCK4 + digits));
  const bytes = encode({ ...info, tlvs: change({ ...info.tlvs }) }, options);
  return toHex(bytes.subarray(28));
}

const SSL = tlv("20", "0100000001" + tlv("21", "61") + tlv("e0", "62"));
const DUPLICATES = tlv("e1", "01") + tlv("01", "6832") + tlv("e1", "02");

Deno.test("encode() gives the bytes back of every v2 header of PROXY that the defaults accept", () => {
  let count = 0;
  forEachVector(({ bytes, options }) => {
    const info = decode(bytes, options);
    if (info?.version !== 2 || info.command !== "PROXY" || options) return;
    assertEquals(encode(info), bytes);
    assertEquals(encode({ ...info }), bytes);
    assertEquals(encode(structuredClone(info)), bytes);
    count++;
  });
  assert(count > 150, `${count}`);
});

Deno.test("encode() gives the bytes back of an info whose parts stand alone", () => {
  const bytes = v2("2111", BLOCK4 + DUPLICATES + SSL);
  const { rest: _, tlv_loc: __, tlv_start: ___, ...header } = infoOf(bytes);
  assertEquals(encode(header), bytes);
  // Without `raw` only what `tlvs` shows is there.
  const { raw: ____, ...bare } = header;
  assertEquals(
    toHex(encode(bare).subarray(28)),
    tlv("e1", "02") + tlv("01", "6832") +
      tlv("20", "0100000001" + tlv("21", "61")) + tlv("e0", "62"),
  );
});

/** Names, what came, what the caller makes of the record, what is written. */
const CHANGES: readonly [string, string, (tlvs: Tlvs) => Tlvs, string][] = [
  ["nothing", DUPLICATES + SSL, (tlvs) => tlvs, DUPLICATES + SSL],
  [
    "a value outside SSL",
    DUPLICATES + SSL,
    (tlvs) => ({ ...tlvs, ALPN: "h3" }),
    tlv("e1", "01") + tlv("01", "6833") + tlv("e1", "02") + SSL,
  ],
  [
    "a repeated value, which then stands once",
    DUPLICATES + SSL,
    (tlvs) => ({ ...tlvs, xE1: hex("03") }),
    tlv("01", "6832") + tlv("e1", "03") + SSL,
  ],
  [
    "a value that is left out",
    DUPLICATES + SSL,
    ({ ALPN: _, ...tlvs }) => tlvs,
    tlv("e1", "01") + tlv("e1", "02") + SSL,
  ],
  [
    "a value that is undefined",
    DUPLICATES,
    (tlvs) => Object.assign(tlvs, { ALPN: undefined }),
    tlv("e1", "01") + tlv("e1", "02"),
  ],
  [
    "a repeated value that is left out",
    DUPLICATES + SSL,
    ({ xE1: _, ...tlvs }) => tlvs,
    tlv("01", "6832") + SSL,
  ],
  [
    "a value that is new",
    DUPLICATES + SSL,
    (tlvs) => ({ NETNS: "a", ...tlvs, xE5: hex("") }),
    DUPLICATES + SSL + tlv("30", "61") + tlv("e5"),
  ],
  [
    "all, of which another order is no change",
    DUPLICATES,
    ({ ALPN, xE1 }) => ({ ...(ALPN && { ALPN }), ...(xE1 && { xE1 }) }),
    DUPLICATES,
  ],
  ["all that is left out", DUPLICATES + SSL, () => ({}), ""],
  [
    "a value inside SSL",
    SSL,
    (tlvs) => ({ ...tlvs, SSL_VERSION: "b" }),
    tlv("20", "0100000001" + tlv("21", "62") + tlv("e0", "62")),
  ],
  [
    "an unnamed value inside SSL",
    SSL,
    (tlvs) => ({ ...tlvs, xE0: hex("63") }),
    tlv("20", "0100000001" + tlv("21", "61") + tlv("e0", "63")),
  ],
  [
    "an unnamed value inside SSL that is left out",
    SSL,
    ({ xE0: _, ...tlvs }) => tlvs,
    tlv("20", "0100000001" + tlv("21", "61")),
  ],
  [
    "the bits and the result of SSL",
    SSL,
    (tlvs) => ({ ...tlvs, SSL_CLIENT: 7, SSL_VERIFY: 0 }),
    tlv("20", "0700000000" + tlv("21", "61") + tlv("e0", "62")),
  ],
  [
    "values that are new inside SSL",
    SSL,
    (tlvs) => ({ ...tlvs, SSL_CN: "c", x2F: hex("64") }),
    tlv(
      "20",
      "0100000001" + tlv("21", "61") + tlv("e0", "62") + tlv("22", "63") +
        tlv("2f", "64"),
    ),
  ],
  [
    "a type of outside inside SSL, which stays there",
    tlv("20", "0100000001" + tlv("01", "61") + tlv("21", "62")),
    (tlvs) => ({ ...tlvs, SSL_VERSION: "c" }),
    tlv("20", "0100000001" + tlv("01", "61") + tlv("21", "63")),
  ],
  [
    "a type that stands outside and inside, left as it is",
    tlv("e0", "61") + SSL + tlv("01", "6832"),
    (tlvs) => ({ ...tlvs, ALPN: "h3" }),
    tlv("e0", "61") + SSL + tlv("01", "6833"),
  ],
  [
    "a type that stands outside and inside, which then stands outside alone",
    tlv("e0", "61") + SSL,
    (tlvs) => ({ ...tlvs, xE0: hex("63") }),
    tlv("e0", "63") + tlv("20", "0100000001" + tlv("21", "61")),
  ],
  [
    "a type that stands outside and inside and is left out",
    tlv("e0", "61") + SSL,
    ({ xE0: _, ...tlvs }) => tlvs,
    tlv("20", "0100000001" + tlv("21", "61")),
  ],
  [
    "another value beside two SSL TLVs, which stay",
    tlv("20", "0700000000") + SSL + tlv("01", "6832"),
    (tlvs) => ({ ...tlvs, ALPN: "h3" }),
    tlv("20", "0700000000") + SSL + tlv("01", "6833"),
  ],
  [
    "a value of the second of two SSL TLVs, which stands alone then",
    tlv("20", "0700000000") + SSL,
    (tlvs) => ({ ...tlvs, SSL_VERSION: "b" }),
    tlv("20", "0100000001" + tlv("21", "62") + tlv("e0", "62")),
  ],
  [
    "SSL that is left out with all that stood in it and beside it",
    tlv("22", "61") + SSL + DUPLICATES + tlv("2f"),
    (tlvs) => ({ ...tlvs, SSL: false }),
    DUPLICATES,
  ],
  [
    "SSL whose parts are left out, but not what stood in it",
    tlv("22", "61") + SSL + DUPLICATES,
    ({ SSL: _, SSL_CLIENT: __, SSL_VERIFY: ___, ...tlvs }) => tlvs,
    DUPLICATES,
  ],
  [
    "SSL that is left out, and a value that is given in its place",
    SSL,
    () => ({ xE0: hex("64") }),
    tlv("e0", "64"),
  ],
  [
    "SSL of which the word is left out alone",
    SSL,
    ({ SSL: _, ...tlvs }) => tlvs,
    SSL,
  ],
  [
    "a subtype beside SSL, which stays outside",
    tlv("22", "61") + SSL + tlv("2f", "63"),
    (tlvs) => ({ ...tlvs, SSL_VERSION: "b" }),
    tlv("22", "61") +
    tlv("20", "0100000001" + tlv("21", "62") + tlv("e0", "62")) +
    tlv("2f", "63"),
  ],
  [
    "a subtype beside SSL that is changed",
    tlv("22", "61") + SSL,
    (tlvs) => ({ ...tlvs, x22: hex("63") }),
    tlv("22", "63") + SSL,
  ],
  [
    "SSL that is new, and takes the subtypes that stood outside",
    tlv("22", "61") + DUPLICATES,
    (tlvs) => ({ ...tlvs, SSL: true }),
    DUPLICATES + tlv("20", "0100000001" + tlv("22", "61")),
  ],
  [
    "SSL that is new, at the place of its first name",
    "",
    () => ({ ALPN: "h2", SSL_CN: "a", NETNS: "b", SSL_VERIFY: 0 }),
    tlv("01", "6832") + tlv("20", "0100000000" + tlv("22", "61")) +
    tlv("30", "62"),
  ],
  [
    "subtypes outside without SSL, which SSL false leaves out",
    tlv("22", "61") + DUPLICATES,
    (tlvs) => ({ ...tlvs, SSL: false }),
    DUPLICATES,
  ],
  [
    "a subtype outside without SSL",
    tlv("22", "61") + tlv("22", "62") + DUPLICATES,
    (tlvs) => ({ ...tlvs, SSL_CN: "c" }),
    tlv("22", "63") + DUPLICATES,
  ],
];

for (const [name, came, change, written] of CHANGES) {
  Deno.test(`encode() writes a decoded header with a change of ${name}`, () => {
    assertEquals(changed(came, change), written);
  });
}

Deno.test("encode() writes a decoded header that says what it is changed to", () => {
  for (const [name, came, change] of CHANGES) {
    if (name.startsWith("SSL that is left out")) continue; // with what stood in it
    if (name.startsWith("SSL whose parts")) continue;
    const info = infoOf(v2("2111", BLOCK4 + came));
    const tlvs = change({ ...info.tlvs });
    const again = infoOf(encode({ ...info, tlvs })).tlvs;
    const said = new Map(Object.entries(again));
    for (const [key, value] of Object.entries(tlvs)) {
      if (tlvs.SSL !== false) assertEquals(said.get(key), value, name);
      said.delete(key);
    }
    // The parts of an SSL that is new have defaults.
    for (const key of said.keys()) assert(/^SSL(_CLIENT|_VERIFY)?$/.test(key));
  }
});

Deno.test("encode() computes the last checksum of a decoded header anew after a change", () => {
  const sums = tlv("03", "11111111") + tlv("03", "24b49862");
  const bytes = v2("2111", BLOCK4 + sums);
  const info = infoOf(bytes);
  assertEquals(encode(info), bytes);
  const moved = encode({ ...info, destination: net("198.51.100.2", 443) });
  const again = infoOf(moved);
  assertEquals(Object.keys(again.tlvs), ["CRC32C"]);
  assertEquals(again.rest.length, 7); // one that covers another is dropped
  assertEquals(
    toHex(encode(info, { checksum: false })),
    toHex(v2("2111", BLOCK4)),
  );
});

Deno.test("encode() writes a decoded header to another destination with its TLVs as they came", () => {
  const info = infoOf(v2("2111", BLOCK4 + DUPLICATES + SSL));
  const bytes = encode({ ...info, destination: net("198.51.100.1", 444) });
  const block = BLOCK4.slice(0, -4) + "01bc";
  assertEquals(toHex(bytes), toHex(v2("2111", block + DUPLICATES + SSL)));
});

Deno.test("encode() adds to a decoded header what its options ask for", () => {
  const same = (tlvs: Tlvs) => tlvs;
  const once = changed(DUPLICATES + SSL, same, { checksum: true });
  assertEquals(once.slice(14), DUPLICATES + SSL);
  assert(once.startsWith("030004"));
  const padded = changed(DUPLICATES, same, { align: 64 });
  assertEquals((28 + padded.length / 2) % 64, 0);
  assert(padded.startsWith(DUPLICATES));
  // Where it fits already, nothing is added.
  assertEquals(changed(DUPLICATES, same, { align: 41 }), DUPLICATES);
});

Deno.test("encode() keeps the bytes after the NUL of a path until the path changes", () => {
  const block = unixPath("2f61002f62") + unixPath("0063006400ff");
  const info = infoOf(v2("2131", block));
  assertEquals(
    toHex(encode({ ...info, tlvs: { ALPN: "a" } })),
    toHex(v2("2131", block + tlv("01", "61"))),
  );
  const source = { transport: "unix", path: "/b" } as const;
  assertEquals(
    toHex(encode({ ...info, source })),
    toHex(v2("2131", unixPath("2f62") + unixPath("0063"))),
  );
});

Deno.test("encode() keeps addresses without a transport until the family changes", () => {
  const info = infoOf(v2("2130", BLOCK_UNIX + tlv("01", "61")));
  assertEquals(
    toHex(encode({ ...info, tlvs: { ALPN: "b" } })),
    toHex(v2("2130", BLOCK_UNIX + tlv("01", "62"))),
  );
  for (
    const change of [
      { family: "INET" },
      { transport: "DGRAM", family: "UNSPEC" },
      { command: "LOCAL" },
    ] as const
  ) {
    const bytes = encode({ ...info, ...change });
    const { raw, tlvs } = infoOf(bytes);
    assertEquals(raw.length, 16 + 4, JSON.stringify(change));
    assertEquals(tlvs, { ALPN: "a" });
  }
});

Deno.test("encode() leaves the block of LOCAL out, and keeps its TLVs as they came", () => {
  const info = infoOf(v2("2011", BLOCK4 + DUPLICATES + SSL));
  assertEquals(toHex(encode(info)), toHex(v2("2000", DUPLICATES + SSL)));
});

Deno.test("encode() does not take a header from raw that the defaults do not accept", () => {
  const wrong = v2("2111", BLOCK4 + tlv("03", "00000001"));
  const ignored = decode(wrong, { checksum: "ignore" });
  assert(ignored !== undefined);
  assertEquals(toHex(encode(ignored).subarray(28)), tlv("03", "737ee919"));
  const stray = decode(
    v2("2111", BLOCK4 + DUPLICATES + tlv("05", "61".repeat(129)) + "ff"),
    {
      tlvs: "lenient",
    },
  );
  assert(stray !== undefined);
  assertEquals(toHex(encode(stray).subarray(28)), DUPLICATES);
  const longer = decode(
    v2("2111", BLOCK4 + tlv("05", "61".repeat(129)) + tlv("05", "62")),
    { tlvs: "lenient" },
  );
  assert(longer !== undefined);
  assertEquals(toHex(encode(longer).subarray(28)), tlv("05", "62"));
  const broken = decode(v2("2111", BLOCK4 + tlv("20", "0100000001ff") + SSL), {
    tlvs: "lenient",
  });
  assert(broken !== undefined);
  assertEquals(toHex(encode(broken).subarray(28)), SSL);
});

Deno.test("encode() writes nothing of raw that the info does not say", () => {
  const other = infoOf(v2("2111", BLOCK4 + DUPLICATES + SSL));
  const header: ProxyHeader = {
    source: net("192.0.2.9", 1),
    destination: net("198.51.100.9", 2),
    tlvs: { ALPN: "h3" },
  };
  const expected = encode(header);
  for (
    const raw of [
      other.raw,
      other.raw.subarray(0, 20),
      new TextEncoder().encode("PROXY UNKNOWN\r\n"),
      new Uint8Array(),
      new Uint8Array(40),
    ]
  ) {
    assertEquals(encode({ ...header, raw }), expected);
    assertEquals(
      encode({ ...header, raw, tlvs: [{ type: 1, value: hex("6833") }] }),
      expected,
    );
  }
  const { tlvs: _, ...none } = header;
  assertEquals(encode({ ...none, raw: other.raw }), encode(none));
});

Deno.test("encode() takes a decoded header that came through JSON, as far as JSON has it", () => {
  const info = infoOf(
    v2("2111", BLOCK4 + tlv("01", "6832") + tlv("01", "6833")),
  );
  const header: ProxyHeader = JSON.parse(JSON.stringify(info));
  assertEquals(toHex(encode(header).subarray(28)), tlv("01", "6833"));
});

Deno.test("encode() refuses wrong TLVs beside those that came", () => {
  const info = infoOf(v2("2111", BLOCK4 + DUPLICATES + SSL));
  for (
    const [tlvs, name] of [
      [{ FOO: "a" }, "FOO"],
      [{ SSL: 1 }, "SSL"],
      [{ ALPN: 1 }, "ALPN"],
      [{ SSL: true, SSL_CLIENT: 256 }, "SSL_CLIENT"],
      [{ SSL: true, SSL_CN: 1 }, "SSL_CN"],
    ] as const
  ) {
    const header: ProxyHeader = { ...info };
    Reflect.set(header, "tlvs", tlvs);
    assertThrows(() => encode(header), Error, `tlvs.${name}: `);
  }
});

Deno.test("encodeInto() rewrites a decoded header in its own place, moved or not", () => {
  const bytes = v2("2111", BLOCK4 + DUPLICATES + SSL);
  for (const at of [0, 1, 7]) {
    for (const to of [0, 3, 7]) {
      const target = new Uint8Array(200);
      target.set(bytes, at);
      const info = infoOf(target.subarray(at));
      const length = encodeInto(info, target.subarray(to));
      assertEquals(target.subarray(to, to + length), bytes);
    }
  }
});
