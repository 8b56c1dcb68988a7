import { Buffer } from "node:buffer";
import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  decode,
  encode,
  encodeInto,
  type EncodeOptions,
  encodeTlvs,
  type ProxyHeader,
  type RawTlv,
  readTlvs,
  type Tlvs,
} from "../../codec/mod.ts";
import { net, unix } from "./_facts.ts";
import {
  ascii,
  BLOCK4,
  BLOCK6,
  BLOCK_UNIX,
  hex,
  textHex,
  tlv,
  toHex,
  unixPath,
  v2,
} from "./_hex.ts";
import { forEachVector } from "./_vectors.ts";

const SOURCE4 = net("192.0.2.1", 56324);
const SOURCE6 = net("2001:db8::1", 56324);
const DESTINATION4 = net("198.51.100.1", 443);
const DESTINATION6 = net("2001:db8::2", 443);

/** Two addresses, which are a whole header. */
const TCP4 = { source: SOURCE4, destination: DESTINATION4 };
const TCP6 = { source: SOURCE6, destination: DESTINATION6 };
const UDP4 = {
  source: net("192.0.2.1", 56324, "udp"),
  destination: net("198.51.100.1", 443, "udp"),
};
const UDP6 = {
  source: net("2001:db8::1", 56324, "udp"),
  destination: net("2001:db8::2", 443, "udp"),
};
const UNIX = { source: unix("/run/a"), destination: unix("/run/b") };
const UNIX_DATAGRAM = {
  source: unix("/run/a", "unixpacket"),
  destination: unix("/run/b", "unixpacket"),
};

/** ::ffff:192.0.2.1 and ::ffff:198.51.100.1, with the ports of the blocks. */
const MAPPED_SOURCE = "00000000000000000000ffffc0000201";
const MAPPED_DESTINATION = "00000000000000000000ffffc6336401";
const PORTS = "dc0401bb";

/** Headers and what is written for them, by hand. */
const WRITTEN: readonly [string, ProxyHeader, Uint8Array][] = [
  ["two IPv4 addresses", TCP4, v2("2111", BLOCK4)],
  ["two IPv6 addresses", TCP6, v2("2121", BLOCK6)],
  ["UDP over IPv4", UDP4, v2("2112", BLOCK4)],
  ["UDP over IPv6", UDP6, v2("2122", BLOCK6)],
  ["UNIX stream", UNIX, v2("2131", BLOCK_UNIX)],
  ["UNIX datagram", UNIX_DATAGRAM, v2("2132", BLOCK_UNIX)],
  [
    "all fields that say the same",
    {
      ...TCP4,
      version: 2,
      command: "PROXY",
      family: "INET",
      transport: "STREAM",
    },
    v2("2111", BLOCK4),
  ],
  [
    "a path of 108 bytes",
    { source: unix("/".repeat(108)), destination: unix("") },
    v2("2131", "2f".repeat(108) + unixPath("")),
  ],
  [
    "an abstract path",
    { source: unix("\0a"), destination: unix("\u00e9") },
    v2("2131", unixPath("0061") + unixPath("c3a9")),
  ],
  [
    "the largest and the smallest port",
    { source: net("0.0.0.0", 65535), destination: net("255.255.255.255", 0) },
    v2("2111", "00000000 ffffffff ffff 0000"),
  ],
  [
    "IPv6 in any form",
    { source: net("2001:DB8:0:0::1", 56324), destination: DESTINATION6 },
    v2("2121", BLOCK6),
  ],
  [
    "an IPv6 source and an IPv4 destination as mapped",
    { source: SOURCE6, destination: DESTINATION4 },
    v2("2121", "20010db8000000000000000000000001" + MAPPED_DESTINATION + PORTS),
  ],
  [
    "an IPv4 source and an IPv6 destination as mapped",
    { source: SOURCE4, destination: DESTINATION6 },
    v2("2121", MAPPED_SOURCE + "20010db8000000000000000000000002" + PORTS),
  ],
  [
    "IPv4 told to be INET6 as mapped",
    { ...TCP4, family: "INET6" },
    v2("2121", MAPPED_SOURCE + MAPPED_DESTINATION + PORTS),
  ],
  [
    "mapped addresses as they are",
    {
      source: net("::ffff:192.0.2.1", 56324),
      destination: net("::ffff:c633:6401", 443),
    },
    v2("2121", MAPPED_SOURCE + MAPPED_DESTINATION + PORTS),
  ],
  ["nothing as LOCAL", {}, v2("2000")],
  ["LOCAL", { command: "LOCAL" }, v2("2000")],
  [
    "LOCAL without the addresses it is given",
    { ...TCP4, command: "LOCAL", family: "INET", transport: "STREAM" },
    v2("2000"),
  ],
  [
    "LOCAL with TLVs",
    { command: "LOCAL", tlvs: { ALPN: "h2" } },
    v2("2000", tlv("01", "6832")),
  ],
  ["PROXY without addresses", { command: "PROXY" }, v2("2100")],
  [
    "PROXY with UNSPEC and TLVs",
    { command: "PROXY", family: "UNSPEC", tlvs: { NETNS: "a" } },
    v2("2100", tlv("30", "61")),
  ],
  [
    "no family beside an UNSPEC transport",
    { ...TCP4, family: "INET", transport: "UNSPEC" },
    v2("2100"),
  ],
  [
    "the transport beside an UNSPEC family",
    { ...TCP4, family: "UNSPEC", transport: "DGRAM" },
    v2("2102"),
  ],
  [
    "a v1 line of IPv4",
    { ...TCP4, version: 1 },
    ascii("PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\r\n"),
  ],
  [
    "a v1 line of IPv6",
    { ...TCP6, version: 1 },
    ascii("PROXY TCP6 2001:db8::1 2001:db8::2 56324 443\r\n"),
  ],
  [
    "a v1 line of an IPv6 source and an IPv4 destination",
    { version: 1, source: SOURCE6, destination: DESTINATION4 },
    ascii("PROXY TCP6 2001:db8::1 ::ffff:198.51.100.1 56324 443\r\n"),
  ],
  [
    "a v1 line of an IPv4 source and an IPv6 destination",
    { version: 1, source: SOURCE4, destination: DESTINATION6 },
    ascii("PROXY TCP6 ::ffff:192.0.2.1 2001:db8::2 56324 443\r\n"),
  ],
  [
    "a v1 line of IPv4 told to be INET6",
    { version: 1, ...TCP4, family: "INET6" },
    ascii(
      "PROXY TCP6 ::ffff:192.0.2.1 ::ffff:198.51.100.1 56324 443\r\n",
    ),
  ],
  [
    "a v1 line without TLVs",
    { ...TCP4, version: 1, tlvs: { ALPN: "h2" } },
    ascii("PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\r\n"),
  ],
  ...([
    ["LOCAL", { command: "LOCAL" }],
    ["LOCAL with addresses", { ...TCP4, command: "LOCAL" }],
    ["nothing", {}],
    ["PROXY without addresses", { command: "PROXY" }],
    ["UNIX", UNIX],
    ["UNIX datagram", UNIX_DATAGRAM],
    ["UDP over IPv4", UDP4],
    ["UDP over IPv6", UDP6],
    ["an UNSPEC family", { ...TCP4, family: "UNSPEC" }],
    ["an UNSPEC transport", { ...TCP4, transport: "UNSPEC" }],
  ] satisfies [string, ProxyHeader][]).map((
    [name, header],
  ): [string, ProxyHeader, Uint8Array] => [
    `${name} in v1 as the short UNKNOWN`,
    { ...header, version: 1 },
    ascii("PROXY UNKNOWN\r\n"),
  ]),
];

for (const [name, header, expected] of WRITTEN) {
  Deno.test(`encode() writes ${name}`, () => {
    assertEquals(toHex(encode(header)), toHex(expected));
  });
}

/** TLVs, options, and what is behind the address block. */
const TLVS_WRITTEN: readonly [
  string,
  Tlvs | Iterable<RawTlv>,
  EncodeOptions,
  string,
][] = [
  ["no checksum where none is asked for", {}, {}, ""],
  ["a checksum", {}, { checksum: true }, tlv("03", "737ee919")],
  ["no checksum when told so", { CRC32C: 1 }, { checksum: false }, ""],
  [
    "a given checksum anew",
    { ALPN: "h2", CRC32C: 1 },
    {},
    tlv("01", "6832") + tlv("03", "12e81190"),
  ],
  [
    "a given checksum anew, at its place",
    { ALPN: "h2", CRC32C: 1, NOOP: hex("") },
    { checksum: true },
    tlv("01", "6832") + tlv("03", "a3637f35") + tlv("04"),
  ],
  [
    "a checksum of a list anew",
    [{ type: 1, value: ascii("h2") }, { type: 3, value: hex("ffffffff") }],
    {},
    tlv("01", "6832") + tlv("03", "12e81190"),
  ],
  [
    "the last of two checksums",
    [3, 1, 3].map((type) => ({
      type,
      value: type === 1 ? ascii("h2") : hex("ffffffff"),
    })),
    {},
    tlv("01", "6832") + tlv("03", "12e81190"),
  ],
  [
    "no checksum of a list when told so",
    [{ type: 3, value: hex("ffffffff") }, { type: 1, value: ascii("h2") }],
    { checksum: false },
    tlv("01", "6832"),
  ],
  ["no padding where the length fits", {}, { align: 4 }, ""],
  ["no padding for align 1", { ALPN: "" }, { align: 1 }, tlv("01")],
  ["4 bytes of padding", {}, { align: 8 }, tlv("04", "00")],
  ["3 bytes of padding", {}, { align: 31 }, tlv("04")],
  ["a step more for 2 bytes", {}, { align: 3 }, tlv("04", "0000")],
  [
    "a step more for 1 byte",
    {},
    { align: 29 },
    tlv("04", "00".repeat(27)),
  ],
  [
    "two steps more for 1 byte",
    { x00: hex("00") },
    { align: 3 },
    "00000100" + tlv("04", "00"),
  ],
  [
    "padding that the checksum covers",
    {},
    { align: 8, checksum: true },
    tlv("03", "afe4105e") + tlv("04", "0000"),
  ],
  [
    "padding behind other TLVs",
    { NOOP: hex("") },
    { align: 16 },
    tlv("04") + "04000e" + "00".repeat(14),
  ],
  [
    "TLVs in their order",
    { NETNS: "a", xE0: hex(""), ALPN: "b" },
    {},
    tlv("30", "61") + tlv("e0") + tlv("01", "62"),
  ],
  [
    "SSL with its sub-TLVs",
    { SSL: true, SSL_CLIENT: 1, SSL_VERIFY: 1, SSL_VERSION: "TLSv1.3" },
    {},
    tlv("20", "0100000001" + tlv("21", textHex("TLSv1.3"))),
  ],
  [
    "a sub-TLV type outside SSL by its number",
    { SSL_CLIENT: 1, SSL_CN: "a", x22: hex("62") },
    {},
    tlv("20", "0100000001" + tlv("22", "61")) + tlv("22", "62"),
  ],
  [
    "a list in its order, duplicates too",
    [0xe0, 0x01, 0xe0].map((type) => ({ type, value: hex("61") })),
    {},
    tlv("e0", "61") + tlv("01", "61") + tlv("e0", "61"),
  ],
  [
    "SSL of a list as it is",
    [{ type: 0x20, value: hex("0100000001" + tlv("e0") + tlv("e0")) }],
    {},
    tlv("20", "0100000001" + tlv("e0") + tlv("e0")),
  ],
];

for (const [name, tlvs, options, digits] of TLVS_WRITTEN) {
  Deno.test(`encode() writes ${name}`, () => {
    const bytes = encode({ ...TCP4, tlvs }, options);
    assertEquals(toHex(bytes), toHex(v2("2111", BLOCK4 + digits)));
    assertEquals(decode(bytes)?.raw, bytes);
  });
}

Deno.test("encode() gives a multiple of align with 0, 3 or more bytes more", () => {
  const bare = encode(TCP6).length;
  for (let align = 1; align <= 128; align++) {
    const bytes = encode(TCP6, { align });
    assertEquals(bytes.length % align, 0);
    assert(bytes.length === bare || bytes.length >= bare + 3);
    assert(bytes.length < bare + align + 3);
    const names = Object.keys(decode(bytes)?.tlvs ?? {});
    assertEquals(names, bytes.length === bare ? [] : ["NOOP"]);
  }
});

Deno.test("encode() leaves checksum and align out of v1", () => {
  const header: ProxyHeader = { ...TCP4, version: 1 };
  assertEquals(encode(header, { checksum: true, align: 64 }), encode(header));
});

Deno.test("encode() writes the longest header there is", () => {
  const tlvs = { xE0: new Uint8Array(65520) };
  assertEquals(encode({ ...TCP4, tlvs }).length, 65551);
  assertEquals(encode(TCP4, { align: 65551 }).length, 65551);
});

Deno.test("encode() takes the TLVs that were read from another header", () => {
  forEachVector(({ bytes, options, expected }) => {
    const info = decode(bytes, options);
    if (info?.version !== 2 || expected.source === undefined) return;
    const tlvs = [...readTlvs(info.rest)];
    // Of two checksums one is written: they would be over each other.
    if (tlvs.filter(({ type }) => type === 3).length > 1) return;
    const again = encode({ ...info, tlvs });
    assertEquals(again.subarray(info.tlv_start), info.rest);
  });
});

Deno.test("encode() takes a header that came through JSON", () => {
  const header = fromJson(JSON.stringify(TCP6));
  assertEquals(encode(header), encode(TCP6));
});

Deno.test("encode() leaves the header alone", () => {
  const header: ProxyHeader = {
    source: SOURCE6,
    destination: DESTINATION4,
    tlvs: { CRC32C: 1, xE0: hex("61") },
  };
  const copy = structuredClone(header);
  encode(header, { checksum: true, align: 64 });
  assertEquals(header, copy);
});

Deno.test("encodeInto() writes the same at the start of a dirty target", () => {
  forEachVector(({ bytes, options }) => {
    const info = decode(bytes, options);
    assert(info !== undefined);
    const expected = encode(info);
    const dirty = new Uint8Array(expected.length).fill(0xa5);
    assertEquals(encodeInto(info, dirty), expected.length);
    assertEquals(dirty, expected);

    const larger = new Uint8Array(expected.length + 30).fill(0xa5);
    const target = larger.subarray(13);
    assertEquals(encodeInto(info, target), expected.length);
    assertEquals(target.subarray(0, expected.length), expected);
    const rest = [
      ...larger.subarray(0, 13),
      ...target.subarray(expected.length),
    ];
    assertEquals(rest, new Array(30).fill(0xa5));
  });
});

Deno.test("encodeInto() takes the options of encode()", () => {
  const options = { checksum: true, align: 32 };
  const target = new Uint8Array(128).fill(0xa5);
  const length = encodeInto(TCP4, target, options);
  assertEquals(target.subarray(0, length), encode(TCP4, options));
});

Deno.test("encodeInto() rewrites a header in its own place", () => {
  // Values move by the checksum that is put before them.
  const tlvs = { xE0: ascii("abcd"), xE1: ascii("efgh"), UNIQUE_ID: hex("01") };
  const target = new Uint8Array(200);
  encodeInto({ ...TCP4, tlvs }, target);
  const info = decode(target);
  assert(info !== undefined);
  const expected = encode({ ...TCP4, tlvs }, { checksum: true });
  const length = encodeInto(info, target, { checksum: true });
  assertEquals(target.subarray(0, length), expected);
});

Deno.test("encodeInto() rewrites values inside SSL in their own place", () => {
  const target = new Uint8Array(200);
  target.set(ascii("abcdefgh"), 40);
  const tlvs = (at: Uint8Array): Tlvs => ({
    SSL: true,
    SSL_CN: "a",
    SSL_CLIENT_CERT: at.subarray(40, 48),
    xE0: at.subarray(44, 48),
  });
  const expected = encode({ ...TCP4, tlvs: tlvs(target.slice()) });
  const length = encodeInto({ ...TCP4, tlvs: tlvs(target) }, target);
  assertEquals(target.subarray(0, length), expected);
});

Deno.test("encodeInto() rewrites values that are Buffers of its target", () => {
  const tlvs = (at: Uint8Array) => [{ type: 0xe0, value: at.subarray(29, 33) }];
  const target = Buffer.alloc(64);
  target.set(ascii("abcd"), 29);
  const expected = encode({ ...TCP4, tlvs: tlvs(Buffer.from(target)) });
  const length = encodeInto({ ...TCP4, tlvs: tlvs(target) }, target);
  assertEquals(new Uint8Array(target.subarray(0, length)), expected);
});

Deno.test("encode() takes as much of a value as it has, whatever its class says", () => {
  class Liar extends Uint8Array<ArrayBuffer> {
    override get length() {
      return 1;
    }
  }
  const value = new Liar(hex("01020304").buffer);
  const expected = encode({ ...TCP4, tlvs: { xE0: hex("01020304") } });
  assertEquals(encode({ ...TCP4, tlvs: { xE0: value } }), expected);
  const tlvs = [{ type: 0xe0, value }];
  assertEquals(encode({ ...TCP4, tlvs }), expected);
});

/** A header that encodes others wherever one of its fields is read. */
function nosy<T extends object>(fields: T): T {
  return new Proxy(fields, {
    get(target, name, receiver) {
      encode({ command: "LOCAL", version: 1 });
      encode({ ...UNIX, tlvs: { ALPN: "h3" } }, { checksum: true });
      encode({ command: "LOCAL" });
      const value: unknown = Reflect.get(target, name, receiver);
      return typeof value === "object" && value !== null &&
          !(value instanceof Uint8Array)
        ? nosy(value)
        : value;
    },
  });
}

Deno.test("encode() is not disturbed by a header whose fields encode others", () => {
  const tlvs = { xE0: hex("0102"), AUTHORITY: "a.example", SSL: true };
  for (const version of [1, 2] as const) {
    for (const ends of [TCP4, TCP6, UDP4, UNIX]) {
      for (const told of [{}, { family: "UNSPEC" }] as const) {
        const header: ProxyHeader = { ...ends, ...told, version, tlvs };
        const expected = encode(header, { checksum: true });
        assertEquals(encode(nosy(header), { checksum: true }), expected);
      }
    }
  }
});

Deno.test("encodeInto() refuses a target that is too small", () => {
  for (const version of [1, 2] as const) {
    for (const pair of [TCP4, TCP6, UNIX, {}]) {
      const header: ProxyHeader = { ...pair, version };
      const target = new Uint8Array(encode(header).length - 1).fill(0xa5);
      assertThrows(() => encodeInto(header, target), RangeError, "target");
      assertEquals(target, new Uint8Array(target.length).fill(0xa5));
    }
  }
});

/** A header from an untyped caller. */
function fromJson(text: string): ProxyHeader {
  return JSON.parse(text);
}

/** What no caller with types can write. */
function untyped(header: Record<string, unknown>): ProxyHeader {
  return fromJson(JSON.stringify(header));
}

/** What is wrong, the header, the class, the field that the message names. */
type Wrong = readonly [
  string,
  ProxyHeader,
  typeof TypeError | typeof RangeError,
  string,
];

const WRONG_PORTS: readonly Wrong[] = [70000, 65536, -1, 1.5, NaN, Infinity]
  .flatMap((port): Wrong[] => [
    [
      `the source port ${port}`,
      { ...TCP4, source: net("192.0.2.1", port) },
      RangeError,
      "source.port",
    ],
    [
      `the destination port ${port}`,
      { ...TCP6, destination: net("::1", port) },
      RangeError,
      "destination.port",
    ],
  ]);

const WRONG_HOSTNAMES: readonly Wrong[] = [
  "1.2.3.4\r\nEVIL",
  "1.2.3.4 5.6.7.8",
  "::1\r\nEVIL",
  "256.1.1.1",
  "1.2.3",
  "1.2.3.4.5",
  "01.2.3.4",
  "1.2.3.4 ",
  " 1.2.3.4",
  "1.2.3.4\0",
  "0x7f.0.0.1",
  "2130706433",
  "",
  " ",
  "::1%eth0",
  "[::1]",
  "::1/128",
  ":::",
  "1:2:3:4:5:6:7",
  "1:2:3:4:5:6:7:8:9",
  "::ffff:256.0.0.1",
  "::ffff:1.2.3",
  "12345::",
  "localhost",
  "\uff11.2.3.4",
  "\u0131.2.3.4",
  "2001:db8::\u0131", // as a byte it would be 1
  ".1.2.3",
  "1..2.3",
  "1.2.3.",
  "1.2.3.0004",
  "1.2.3.0000004",
  "00.1.2.3",
  "4294967297.1.2.3",
].flatMap((hostname): Wrong[] => [
  [
    `the source ${JSON.stringify(hostname)}`,
    { ...TCP4, source: net(hostname, 1) },
    TypeError,
    "source.hostname",
  ],
  [
    `the destination ${JSON.stringify(hostname)}`,
    { ...TCP6, destination: net(hostname, 1) },
    TypeError,
    "destination.hostname",
  ],
]);

const WRONG_ENDS: readonly Wrong[] = [
  [
    "PROXY without a destination",
    { command: "PROXY", source: SOURCE4 },
    TypeError,
    "destination",
  ],
  [
    "PROXY without a source",
    { command: "PROXY", destination: DESTINATION4 },
    TypeError,
    "source",
  ],
  ["a source alone", { source: SOURCE4 }, TypeError, "destination"],
  ["a destination alone", { destination: SOURCE4 }, TypeError, "source"],
  [
    "a family without addresses",
    { command: "PROXY", family: "INET" },
    TypeError,
    "source",
  ],
  [
    "TCP beside UDP",
    { source: SOURCE4, destination: UDP4.destination },
    TypeError,
    "destination.transport",
  ],
  [
    "UNIX beside TCP",
    { source: UNIX.source, destination: DESTINATION4 },
    TypeError,
    "destination.transport",
  ],
  [
    "TCP beside UNIX",
    { source: SOURCE6, destination: UNIX.destination },
    TypeError,
    "destination.transport",
  ],
  [
    "UNIX stream beside datagram",
    { source: UNIX.source, destination: UNIX_DATAGRAM.destination },
    TypeError,
    "destination.transport",
  ],
  ["INET for IPv6", { ...TCP6, family: "INET" }, TypeError, "family"],
  ["INET6 for UNIX", { ...UNIX, family: "INET6" }, TypeError, "family"],
  ["INET for UNIX", { ...UNIX, family: "INET" }, TypeError, "family"],
  ["UNIX for IPv4", { ...TCP4, family: "UNIX" }, TypeError, "family"],
  [
    "UNIX for mixed families",
    { source: SOURCE4, destination: DESTINATION6, family: "UNIX" },
    TypeError,
    "family",
  ],
  ["DGRAM for TCP", { ...TCP4, transport: "DGRAM" }, TypeError, "transport"],
  ["STREAM for UDP", { ...UDP6, transport: "STREAM" }, TypeError, "transport"],
];

const WRONG_PATHS: readonly Wrong[] = [
  [
    "a path of 109 bytes",
    { ...UNIX, source: unix("/".repeat(109)) },
    RangeError,
    "source.path",
  ],
  [
    "a path of 108 characters in 109 bytes",
    { ...UNIX, destination: unix("/".repeat(107) + "\u00e9") },
    RangeError,
    "destination.path",
  ],
  [
    "a path with a NUL in it",
    { ...UNIX, source: unix("/a\0b") },
    TypeError,
    "source.path",
  ],
  [
    "a path with a NUL as its second byte",
    { ...UNIX, source: unix("a\0b") },
    TypeError,
    "source.path",
  ],
  [
    "a path with a NUL at its end",
    { ...UNIX, destination: unix("/a\0") },
    TypeError,
    "destination.path",
  ],
  [
    "a path with a lone surrogate",
    { ...UNIX, source: unix("/\ud800") },
    TypeError,
    "source.path",
  ],
  [
    "an abstract path with a second NUL",
    { ...UNIX, source: unix("\0a\0b") },
    TypeError,
    "source.path",
  ],
];

/** What only callers without types can pass. */
const WRONG_KINDS: readonly Wrong[] = [
  ["version 3", untyped({ ...TCP4, version: 3 }), RangeError, "version"],
  ["version 0", untyped({ ...TCP4, version: 0 }), RangeError, "version"],
  ["version '2'", untyped({ ...TCP4, version: "2" }), RangeError, "version"],
  ["a command", untyped({ ...TCP4, command: "proxy" }), TypeError, "command"],
  ["a family", untyped({ ...TCP4, family: "IPX" }), TypeError, "family"],
  [
    "a transport",
    untyped({ ...TCP4, transport: "TCP" }),
    TypeError,
    "transport",
  ],
  [
    "an address transport",
    untyped({ ...TCP4, source: { ...SOURCE4, transport: "sctp" } }),
    TypeError,
    "source.transport",
  ],
  [
    "an address transport that every object has",
    untyped({
      source: { ...SOURCE4, transport: "toString" },
      destination: { ...DESTINATION4, transport: "toString" },
    }),
    TypeError,
    "source.transport",
  ],
  [
    "an address of text",
    untyped({ ...TCP4, source: "192.0.2.1" }),
    TypeError,
    "source.transport",
  ],
  [
    "an address of null",
    untyped({ ...TCP4, destination: null }),
    TypeError,
    "destination",
  ],
  [
    "a host name of a number",
    untyped({ ...TCP4, source: { ...SOURCE4, hostname: 1 } }),
    TypeError,
    "source.hostname",
  ],
  [
    "a host name of a list",
    untyped({ ...TCP4, source: { ...SOURCE4, hostname: ["::1\r\nEVIL"] } }),
    TypeError,
    "source.hostname",
  ],
  [
    "TCP with a path",
    untyped({ ...TCP4, source: { transport: "tcp", path: "/a" } }),
    TypeError,
    "source.hostname",
  ],
  [
    "UNIX with a host name",
    untyped({ ...UNIX, source: { ...SOURCE4, transport: "unix" } }),
    TypeError,
    "source.path",
  ],
  [
    "no host name",
    untyped({ ...TCP4, source: { transport: "tcp", port: 1 } }),
    TypeError,
    "source.hostname",
  ],
  [
    "a port of text",
    untyped({ ...TCP4, source: { ...SOURCE4, port: "80" } }),
    TypeError,
    "source.port",
  ],
  [
    "no port",
    untyped({
      ...TCP4,
      destination: { transport: "tcp", hostname: "192.0.2.1" },
    }),
    TypeError,
    "destination.port",
  ],
  [
    "a path of a number",
    untyped({ ...UNIX, source: { transport: "unix", path: 1 } }),
    TypeError,
    "source.path",
  ],
];

/** In v1 they are refused as well: there is no line to write. */
const WRONG: readonly Wrong[] = [
  ...WRONG_PORTS,
  ...WRONG_HOSTNAMES,
  ...WRONG_ENDS,
  ...WRONG_PATHS,
  ...WRONG_KINDS,
];

/** Nothing may be written, and the message goes into a log. */
function assertRefused(
  header: ProxyHeader,
  options: EncodeOptions,
  errorClass: typeof TypeError | typeof RangeError,
  field: string,
): void {
  const target = new Uint8Array(70000).fill(0xa5);
  const error = assertThrows(
    () => encodeInto(header, target, options),
    errorClass,
  );
  assert(
    new RegExp(`^Cannot encode (into |with )?${field}[: ]`).test(error.message),
    error.message,
  );
  assert(
    !/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u.test(error.message),
    error.message,
  );
  assert(target.every((byte) => byte === 0xa5), "something was written");
  const other = assertThrows(() => encode(header, options), errorClass);
  assertEquals(other.message, error.message);
}

for (const [name, header, errorClass, field] of WRONG) {
  Deno.test(`encode() refuses ${name}`, () => {
    assertRefused(header, {}, errorClass, field);
    if (header.version === undefined) {
      assertRefused({ ...header, version: 1 }, {}, errorClass, field);
    }
  });
}

/** No headers, in JSON, and how the error names them. */
const NO_HEADERS = [
  ["[]", "undefined"],
  ["[null]", "[object Null]"],
  ['["LOCAL"]', '"LOCAL"'],
  ["[2]", "2"],
] as const;

for (const [json, received] of NO_HEADERS) {
  Deno.test(`encode() refuses a header that is ${received}`, () => {
    const header: ProxyHeader = JSON.parse(json)[0];
    const message = `Cannot encode header: expected an object, received `;
    assertThrows(() => encode(header), TypeError, message + received);
    assertThrows(
      () => encodeInto(header, new Uint8Array(64)),
      TypeError,
      message + received,
    );
  });
}

/** TLVs that are refused; some no caller with types can write. */
const WRONG_TLVS: readonly [
  string,
  Record<string, unknown>,
  typeof TypeError | typeof RangeError,
  string,
][] = [
  ["an unknown name", { FOO: "a" }, TypeError, "FOO"],
  ["a name in lower case", { xea: hex("") }, TypeError, "xea"],
  ["a type of 3 digits", { x1EA: hex("") }, TypeError, "x1EA"],
  ["a lone surrogate", { ALPN: "\ud800" }, TypeError, "ALPN"],
  ["text of bytes", { ALPN: hex("6832") }, TypeError, "ALPN"],
  ["text of a number", { SSL: true, SSL_CN: 1 }, TypeError, "SSL_CN"],
  ["bytes of text", { NOOP: "a" }, TypeError, "NOOP"],
  ["bytes of an array", { xE0: [1] }, TypeError, "xE0"],
  ["bytes of null", { UNIQUE_ID: null }, TypeError, "UNIQUE_ID"],
  ["a checksum of text", { CRC32C: "1" }, TypeError, "CRC32C"],
  ["a checksum of 33 bits", { CRC32C: 2 ** 32 }, RangeError, "CRC32C"],
  ["a negative checksum", { CRC32C: -1 }, RangeError, "CRC32C"],
  ["SSL of text", { SSL: "yes" }, TypeError, "SSL"],
  ["client bits of text", { SSL_CLIENT: "1" }, TypeError, "SSL_CLIENT"],
  ["client bits over 255", { SSL_CLIENT: 256 }, RangeError, "SSL_CLIENT"],
  ["a negative result", { SSL_VERIFY: -1 }, RangeError, "SSL_VERIFY"],
  ["a broken result", { SSL_VERIFY: 0.5 }, RangeError, "SSL_VERIFY"],
  ["a result of 33 bits", { SSL_VERIFY: 2 ** 32 }, RangeError, "SSL_VERIFY"],
  [
    "a UNIQUE_ID of 129 bytes",
    { UNIQUE_ID: new Uint8Array(129) },
    RangeError,
    "UNIQUE_ID",
  ],
  [
    "a value of 65536 bytes",
    { xE0: new Uint8Array(65536) },
    RangeError,
    "xE0",
  ],
  [
    "text of 65536 bytes",
    { AUTHORITY: "a".repeat(65536) },
    RangeError,
    "AUTHORITY",
  ],
  [
    "SSL of over 65535 bytes",
    { SSL: true, SSL_CN: "a".repeat(65535) },
    RangeError,
    "SSL",
  ],
  [
    "a checksum by its number, too short",
    { x03: hex("01") },
    RangeError,
    "x03",
  ],
  ["SSL by its number, too short", { x20: hex("01") }, RangeError, "x20"],
  [
    "SSL by its number with a stray byte",
    { x20: hex("010000000000") },
    TypeError,
    "x20",
  ],
];

/** TLVs from an untyped caller. */
function untypedTlvs(record: Record<string, unknown>): Tlvs {
  const tlvs: Tlvs = {};
  for (const [name, value] of Object.entries(record)) {
    Reflect.set(tlvs, name, value);
  }
  return tlvs;
}

for (const [name, record, errorClass, field] of WRONG_TLVS) {
  Deno.test(`encode() refuses TLVs with ${name}`, () => {
    const tlvs = untypedTlvs(record);
    assertRefused({ ...TCP4, tlvs }, {}, errorClass, `tlvs.${field}`);
    const error = assertThrows(() => encodeTlvs(tlvs), errorClass);
    assert(error.message.includes(`tlvs.${field}: `), error.message);
  });
}

const WRONG_LISTS: readonly [
  string,
  RawTlv,
  typeof TypeError | typeof RangeError,
  string,
][] = [
  ["a type of 256", { type: 256, value: hex("") }, RangeError, "tlvs"],
  ["a type of -1", { type: -1, value: hex("") }, RangeError, "tlvs"],
  ["a type of 1.5", { type: 1.5, value: hex("") }, RangeError, "tlvs"],
  [
    "a checksum of 3 bytes",
    { type: 3, value: hex("010203") },
    RangeError,
    "tlvs.CRC32C",
  ],
  [
    "an SSL of 4 bytes",
    { type: 0x20, value: hex("01020304") },
    RangeError,
    "tlvs.SSL",
  ],
  [
    "an SSL with a stray byte",
    { type: 0x20, value: hex("010203040500") },
    TypeError,
    "tlvs.SSL",
  ],
  [
    "an SSL with a sub-TLV that overruns",
    { type: 0x20, value: hex("0102030405 210002 61") },
    TypeError,
    "tlvs.SSL",
  ],
  [
    "a UNIQUE_ID of 129 bytes",
    { type: 5, value: new Uint8Array(129) },
    RangeError,
    "tlvs.UNIQUE_ID",
  ],
  [
    "a value of 65536 bytes",
    { type: 0xe0, value: new Uint8Array(65536) },
    RangeError,
    "tlvs.xE0",
  ],
];

for (const [name, entry, errorClass, field] of WRONG_LISTS) {
  Deno.test(`encode() refuses a list of TLVs with ${name}`, () => {
    const tlvs = [{ type: 1, value: ascii("h2") }, entry];
    assertRefused({ ...TCP4, tlvs }, {}, errorClass, field);
  });
}

Deno.test("encode() refuses a header of over 65551 bytes", () => {
  const tlvs = { xE0: new Uint8Array(65521) };
  assertRefused({ ...TCP4, tlvs }, {}, RangeError, "tlvs");
  const fitting = { xE0: new Uint8Array(65520) };
  const header = { ...TCP4, tlvs: fitting };
  assertRefused(header, { checksum: true }, RangeError, "tlvs");
  assertRefused(header, { align: 4 }, RangeError, "tlvs");
});

Deno.test("encode() writes no stray beside an SSL that could not be read", () => {
  const bytes = v2("2111", BLOCK4 + tlv("22", "61") + tlv("20", "01"));
  const info = decode(bytes, { tlvs: "lenient" });
  assert(info !== undefined);
  assertEquals([info.tlvs.SSL, info.tlvs["x22"]], [false, hex("61")]);
  assertEquals(decode(encode(info))?.tlvs, {});
});

for (const align of [0, -1, 1.5, NaN, Infinity, 65552]) {
  Deno.test(`encode() refuses align ${align}`, () => {
    assertRefused(TCP4, { align }, RangeError, "align");
  });
}

Deno.test("encode() quotes no more of a wrong value than a log can bear", () => {
  const hostname = "x\n".repeat(1000);
  const source = { ...SOURCE4, hostname };
  const error = assertThrows(
    () => encode({ source, destination: DESTINATION4 }),
    TypeError,
  );
  assert(error.message.endsWith(`${JSON.stringify("x\n".repeat(32))}...`));
});

Deno.test("encode() takes the longest text of an address", () => {
  const longest = "0000:0000:0000:0000:0000:ffff:255.255.255.255";
  const header = { source: net(longest, 1), destination: DESTINATION6 };
  assertEquals(
    decode(encode(header))?.source,
    net("::ffff:255.255.255.255", 1),
  );
  const source = net(`0${longest}`, 1);
  assertRefused({ ...header, source }, {}, TypeError, "source.hostname");
});

for (const port of [0, 9, 10, 99, 100, 999, 1000, 9999, 10000, 65535]) {
  Deno.test(`encode() writes port ${port} without leading zeroes in a line`, () => {
    const header = { source: net("192.0.2.100", port), destination: SOURCE4 };
    assertEquals(
      encode({ version: 1, ...header }),
      ascii(`PROXY TCP4 192.0.2.100 192.0.2.1 ${port} 56324\r\n`),
    );
  });
}

Deno.test("encode() quotes what a terminal or a log acts on as escapes", () => {
  const hostname =
    "\x1b[2J\u009b\u202e\u2066\u2028\u2029\x7f\u200b\ufeff\ud800x\udb40\udc01";
  const message =
    '"\\u001b[2J\\u009b\\u202e\\u2066\\u2028\\u2029\\u007f\\u200b\\ufeff\\ud800x\\udb40\\udc01"';
  assertRefused(
    { ...TCP4, source: net(hostname, 1) },
    {},
    TypeError,
    "source.hostname",
  );
  assertThrows(
    () => encode({ ...TCP4, source: net(hostname, 1) }),
    TypeError,
    `received ${message}`,
  );
  const loud = { [Symbol.toStringTag]: "\x1b" };
  const named: ProxyHeader = fromJson("{}");
  Reflect.set(named, "command", loud);
  assertThrows(() => encode(named), TypeError, "[object \\u001b]");
  Reflect.set(named, "command", () => "\n");
  assertThrows(() => encode(named), TypeError, "received [object Function]");
  assertThrows(
    () => encodeTlvs(untypedTlvs({ [hostname]: 1 })),
    TypeError,
    `tlvs[${message}]`,
  );
});
