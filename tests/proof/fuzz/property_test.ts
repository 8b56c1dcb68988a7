/** Each property has a fixed seed; on a failure fast-check prints the path to replay. */

import { assert, assertEquals } from "@std/assert";
import { concat } from "@std/bytes";
import fc from "fast-check";
import {
  type Address,
  bytesNeeded,
  decode,
  type DecodeOptions,
  encode,
  type EncodeOptions,
  type Tlvs,
} from "../../../codec/mod.ts";
import { ascii, hex, SIGNATURE_HEX } from "../../codec/_hex.ts";
import { checkInput, outcomeOf } from "./_outcome.ts";
import { ACCEPTED } from "../../codec/_vectors.ts";

const RUNS = { seed: 20260427, numRuns: 2000 } as const;

const PORT = fc.integer({ min: 0, max: 65535 });
const IPV4 = fc.tuple(...Array.from({ length: 4 }, () => fc.nat(255)))
  .map((octets) => octets.join("."));

/** Zero groups are common, so that `::` is. */
const GROUP = fc.oneof(fc.constant(0), fc.nat(0xffff), fc.nat(0xf));
const GROUPS = fc.tuple(...Array.from({ length: 8 }, () => GROUP));

/** RFC 5952 text by the WHATWG URL parser, which knows no dotted quad. */
function canonicalIpv6(text: string): string {
  return new URL(`http://[${text}]/`).hostname.slice(1, -1);
}

function isMapped(canonical: string): boolean {
  return canonical.startsWith("::ffff:") && canonical.split(":").length === 5;
}

const IPV6 = GROUPS
  .map((groups) => canonicalIpv6(groups.map((n) => n.toString(16)).join(":")))
  .filter((text) => !isMapped(text));
const MAPPED = IPV4.map((text) => `::ffff:${text}`);

/** Well-formed text without NUL: what a path can hold, and any text TLV. */
const TEXT = fc.string({ unit: "binary", maxLength: 20 })
  .map((text) => text.replaceAll("\0", ""));
const PATH = fc.oneof(TEXT, TEXT.map((text) => text && `\0${text}`));

function pair(
  hostname: fc.Arbitrary<string>,
  transport: "tcp" | "udp",
): fc.Arbitrary<[Address, Address]> {
  const end = fc.tuple(hostname, PORT).map(([hostname, port]): Address => ({
    transport,
    hostname,
    port,
  }));
  return fc.tuple(end, end);
}

function unixPair(
  transport: "unix" | "unixpacket",
): fc.Arbitrary<[Address, Address]> {
  const end = PATH.map((path): Address => ({ transport, path }));
  return fc.tuple(end, end);
}

const ENDS: fc.Arbitrary<[Address, Address]> = fc.oneof(
  pair(IPV4, "tcp"),
  pair(IPV4, "udp"),
  pair(fc.oneof(IPV6, MAPPED), "tcp"),
  pair(fc.oneof(IPV6, MAPPED), "udp"),
  unixPair("unix"),
  unixPair("unixpacket"),
);

const VALUE = fc.uint8Array({ maxLength: 20 });
const UINT32 = fc.nat(0xffffffff);

const SSL: fc.Arbitrary<Tlvs> = fc.record({
  SSL: fc.constant(true),
  SSL_CLIENT: fc.nat(255),
  SSL_VERIFY: UINT32,
  SSL_VERSION: TEXT,
  SSL_CN: TEXT,
  SSL_CIPHER: TEXT,
  SSL_SIG_ALG: TEXT,
  SSL_KEY_ALG: TEXT,
  SSL_GROUP: TEXT,
  SSL_SIG_SCHEME: TEXT,
  SSL_CLIENT_CERT: VALUE,
  x29: VALUE,
  x2F: VALUE,
}, {
  requiredKeys: ["SSL", "SSL_CLIENT", "SSL_VERIFY"],
  noNullPrototype: true,
});

const PLAIN: fc.Arbitrary<Tlvs> = fc.record({
  ALPN: TEXT,
  AUTHORITY: TEXT,
  UNIQUE_ID: fc.uint8Array({ maxLength: 128 }),
  NETNS: TEXT,
  x00: VALUE,
  x1F: VALUE,
  xE0: VALUE,
  xFF: VALUE,
}, { requiredKeys: [], noNullPrototype: true });

/** In two orders; NOOP and CRC32C come from the options. */
const TLVS: fc.Arbitrary<Tlvs> = fc.oneof(
  PLAIN,
  fc.tuple(PLAIN, SSL).map(([plain, ssl]) => ({ ...plain, ...ssl })),
  fc.tuple(PLAIN, SSL).map(([plain, ssl]) => ({ ...ssl, ...plain })),
);

const ENCODE_OPTIONS: fc.Arbitrary<EncodeOptions> = fc.record({
  checksum: fc.boolean(),
  align: fc.integer({ min: 1, max: 64 }),
}, { requiredKeys: [], noNullPrototype: true });

/** By hand from the shape of the addresses. */
function familyOf(address: Address): "INET" | "INET6" | "UNIX" {
  if ("path" in address) return "UNIX";
  return address.hostname.includes(":") ? "INET6" : "INET";
}

function transportOf({ transport }: Address): "STREAM" | "DGRAM" {
  return transport === "tcp" || transport === "unix" ? "STREAM" : "DGRAM";
}

Deno.test("decode() reads what encode() wrote of any v2 header", () => {
  fc.assert(
    fc.property(ENDS, TLVS, ENCODE_OPTIONS, (ends, tlvs, options) => {
      const [source, destination] = ends;
      const bytes = encode({ source, destination, tlvs }, options);
      const info = decode(bytes);
      assert(info !== undefined);
      const { CRC32C, NOOP: _, ...read } = info.tlvs;
      const { rest } = info;
      assertEquals({ ...info, rest, tlvs: read, tlv_loc: {}, tlv_start: 0 }, {
        version: 2,
        command: "PROXY",
        family: familyOf(source),
        transport: transportOf(source),
        source,
        destination,
        tlvs,
        tlv_loc: {},
        tlv_start: 0,
        rest: bytes.subarray(info.tlv_start),
        raw: bytes,
      });
      assertEquals(CRC32C !== undefined, options.checksum === true);
      assertEquals(bytes.length % (options.align ?? 1), 0);
      assertEquals(encode(info), bytes);
    }),
    RUNS,
  );
});

Deno.test("decode() reads what encode() wrote of any v1 header", () => {
  fc.assert(
    fc.property(ENDS, ([source, destination]) => {
      const bytes = encode({ version: 1, source, destination });
      const info = decode(bytes);
      const isTcp = source.transport === "tcp";
      assert(bytes.length <= 107);
      assertEquals(info?.raw, bytes);
      assertEquals(info?.family, isTcp ? familyOf(source) : "UNSPEC");
      assertEquals(info?.source, isTcp ? source : undefined);
      assertEquals(info?.destination, isTcp ? destination : undefined);
    }),
    RUNS,
  );
});

Deno.test("decode() reads the mapped form of mixed families in both versions", () => {
  const ends = fc.oneof(
    fc.tuple(IPV4, IPV6),
    fc.tuple(IPV6, IPV4),
  );
  fc.assert(
    fc.property(
      ends,
      PORT,
      fc.constantFrom(1, 2),
      ([from, to], port, version) => {
        const end = (hostname: string): Address => ({
          transport: "tcp",
          hostname,
          port,
        });
        const bytes = encode({
          version,
          source: end(from),
          destination: end(to),
        });
        const mapped = (text: string) =>
          end(text.includes(":") ? text : `::ffff:${text}`);
        const info = decode(bytes);
        assertEquals([info?.family, info?.source, info?.destination], [
          "INET6",
          mapped(from),
          mapped(to),
        ]);
        const unmapped = decode(bytes, { unmap: true });
        assertEquals(
          [unmapped?.family, unmapped?.source, unmapped?.destination],
          ["INET6", end(from), end(to)],
        );
      },
    ),
    RUNS,
  );
});

Deno.test("decode() reads every text of an IPv6 address that RFC 3986 allows", () => {
  fc.assert(
    fc.property(fc.ipV6(), (text) => {
      const canonical = canonicalIpv6(text);
      fc.pre(!isMapped(canonical));
      const info = decode(ascii(`PROXY TCP6 ${text} :: 1 2\r\n`));
      assertEquals(info?.source, {
        transport: "tcp",
        hostname: canonical,
        port: 1,
      });
    }),
    RUNS,
  );
});

Deno.test("decode() writes any 16 octets as RFC 5952 does", () => {
  fc.assert(
    fc.property(GROUPS, (groups) => {
      const digits = groups.map((n) => n.toString(16).padStart(4, "0"));
      const canonical = canonicalIpv6(digits.join(":"));
      fc.pre(!isMapped(canonical));
      const block = digits.join("") + "00".repeat(16) + "00010002";
      const info = decode(hex(SIGNATURE_HEX + "21210024" + block));
      assertEquals(info?.source, {
        transport: "tcp",
        hostname: canonical,
        port: 1,
      });
    }),
    RUNS,
  );
});

const DECODE_OPTIONS: fc.Arbitrary<DecodeOptions> = fc.record({
  checksum: fc.constantFrom("verify", "ignore"),
  tlvs: fc.constantFrom("strict", "lenient"),
  mixedTcp6: fc.boolean(),
  unmap: fc.boolean(),
  versions: fc.constantFrom([1], [2], [1, 2]),
  maxLength: fc.constantFrom(15, 16, 28, 52, 107, 4096, 65551),
}, { requiredKeys: [], noNullPrototype: true });

const CUTS = fc.uniqueArray(fc.nat(300), { maxLength: 8 })
  .map((cuts) => cuts.sort((a, b) => a - b));

/** Text that is nearly a v1 line. */
const NEARLY_V1 = fc.tuple(
  fc.constantFrom(
    "PROXY TCP4 ",
    "PROXY TCP6 ",
    "PROXY UNKNOWN",
    "PROXY ",
    "PROXY TCP6 1:2:3:4:5:6:",
    "PROXY TCP6 ::ffff:1.2.3.4 ",
  ),
  fc.string({
    unit: fc.constantFrom(
      ..."0123456789af:.: \r\n",
      "::",
      "\r\n",
      "255",
      "0.0",
    ),
    maxLength: 110,
  }),
).map(([start, rest]) => ascii(start + rest));

const TLV_BYTES = fc.array(
  fc.tuple(
    fc.constantFrom(0x01, 0x03, 0x04, 0x05, 0x20, 0x21, 0x28, 0x30, 0xe0, 0xea),
    fc.uint8Array({ maxLength: 12 }),
  ),
  { maxLength: 5 },
).map((tlvs) =>
  concat(tlvs.flatMap(([type, value]) => [
    Uint8Array.of(type, 0, value.length),
    value,
  ]))
);

/** A v2 header whose length is nearly that of its body. */
const NEARLY_V2 = fc.tuple(
  fc.constantFrom(0x20, 0x21, 0x21, 0x21, 0x22, 0x10),
  fc.constantFrom(0x00, 0x10, 0x11, 0x12, 0x21, 0x22, 0x31, 0x13, 0x41),
  fc.constantFrom(0, 0, 0, 1, -1, 2, -3, 300),
  fc.constantFrom(0, 12, 36, 216).chain((length) =>
    fc.uint8Array({ minLength: length, maxLength: length })
  ),
  fc.oneof(TLV_BYTES, fc.uint8Array({ maxLength: 40 })),
).map(([command, family, error, block, tlvs]) => {
  const length = Math.max(0, block.length + tlvs.length + error);
  const fixed = Uint8Array.of(command, family, length >> 8, length & 0xff);
  return concat([hex(SIGNATURE_HEX), fixed, block, tlvs]);
});

const BYTES = fc.oneof(
  fc.uint8Array({ maxLength: 300 }),
  NEARLY_V1,
  NEARLY_V2,
  fc.constantFrom(...ACCEPTED.map(({ bytes }) => bytes)),
);

Deno.test("decode() has three outcomes for any bytes, however they come", () => {
  fc.assert(
    fc.property(
      BYTES,
      DECODE_OPTIONS,
      CUTS,
      VALUE,
      (bytes, options, cuts, more) => {
        const lengths = cuts.filter((cut) => cut <= bytes.length);
        checkInput({ bytes, options, cuts: lengths, more, isThorough: true });
      },
    ),
    { ...RUNS, numRuns: 8000 },
  );
});

/** Bytes that can continue a line; the most common ways to end it first. */
const LINE_BYTES = ascii("0: \r\n.PROXYTC46UNKW");

/** All of them; zeroes end most of a v2 header. */
const EVERY_BYTE = Uint8Array.from({ length: 256 }, (_, byte) => byte);

/**
 * Completes a header in exactly the bytes that it is said to need, one by one:
 * each must leave one less.
 */
function completed(
  bytes: Uint8Array,
  options: DecodeOptions,
  candidates: Uint8Array,
): Uint8Array {
  const needed = bytesNeeded(bytes, options);
  const whole = concat([bytes, new Uint8Array(needed)]);
  for (let at = bytes.length; at < whole.length; at++) {
    const found = candidates.find((byte) => {
      whole[at] = byte;
      try {
        const left = bytesNeeded(whole.subarray(0, at + 1), options);
        return left === whole.length - at - 1;
      } catch {
        return false;
      }
    });
    assert(found !== undefined, `${needed} bytes do not complete ${bytes}`);
  }
  return whole;
}

Deno.test("bytesNeeded() is what the shortest end of a line takes", () => {
  const options = fc.constantFrom({}, { mixedTcp6: true }, { maxLength: 60 });
  fc.assert(
    fc.property(NEARLY_V1, options, fc.nat(120), (bytes, options, length) => {
      const prefix = bytes.subarray(0, length);
      if (outcomeOf(prefix, options) !== undefined) return;
      fc.pre(prefix.length > 0);
      const line = completed(prefix, options, LINE_BYTES);
      assertEquals(decode(line, options)?.raw, line);
    }),
    RUNS,
  );
});

Deno.test("bytesNeeded() is what the shortest end of a v2 header takes", () => {
  // Whether a checksum can still be right would take all that is to come.
  const options = { checksum: "ignore" } as const;
  fc.assert(
    fc.property(NEARLY_V2, fc.nat(300), (bytes, length) => {
      const prefix = bytes.subarray(0, length);
      if (outcomeOf(prefix, options) !== undefined) return;
      fc.pre(prefix.length > 0);
      const header = completed(prefix, options, EVERY_BYTE);
      assertEquals(decode(header, options)?.raw, header);
    }),
    RUNS,
  );
});

Deno.test("bytesNeeded() is what the shortest end of an accepted line takes", () => {
  for (const { bytes, source, expected } of ACCEPTED) {
    if (expected.version === 2 || source !== "specification 2.1") continue;
    for (let length = 1; length < bytes.length; length++) {
      completed(bytes.subarray(0, length), {}, LINE_BYTES);
    }
  }
});
