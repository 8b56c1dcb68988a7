/**
 * Headers that a receiver accepts, with what they say: those of the
 * specification by hand, those of real senders by the decoder that captured
 * them, those of providers by their documents.
 *
 * @module
 */

import type { ProxyInfo, Tlvs } from "../../codec/mod.ts";
import { CAPTURES } from "./_captures.ts";
import {
  ascii,
  BLOCK4,
  BLOCK6,
  BLOCK_UNIX,
  hex,
  textHex,
  tlv,
  unixPath,
  v2,
} from "./_hex.ts";
import {
  type Facts,
  inet,
  inet6,
  local,
  net,
  tcpLine,
  unix,
  unixInfo,
  UNKNOWN,
  type Vector,
} from "./_facts.ts";
import { receiverCase } from "./_receiver_cases.ts";

/** PROXY with UNSPEC in its family or transport. */
function unspec(
  family: ProxyInfo["family"],
  transport: ProxyInfo["transport"],
  tlvs: Tlvs = {},
  tlv_start = 16,
): Facts {
  return { ...local(tlvs, tlv_start), command: "PROXY", family, transport };
}

const SHORT_UNKNOWN = ascii("PROXY UNKNOWN\r\n");
const LOCAL_HEADER = v2("2000");

const V1: readonly Vector[] = [
  {
    name: "the example line of section 2.1",
    source: "specification 2.1",
    bytes: ascii("PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\r\n"),
    expected: tcpLine(
      "INET",
      net("192.168.0.1", 56324),
      net("192.168.0.11", 443),
    ),
    payload: ascii("GET / HTTP/1.1\r\nHost: 192.168.0.11\r\n\r\n"),
  },
  {
    name: "the longest TCP4 line, 56 bytes",
    source: "specification 2.1",
    bytes: ascii("PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n"),
    expected: tcpLine(
      "INET",
      net("255.255.255.255", 65535),
      net("255.255.255.255", 65535),
    ),
  },
  {
    name: "the shortest TCP4 line",
    source: "specification 2.1",
    bytes: ascii("PROXY TCP4 0.0.0.0 0.0.0.0 0 0\r\n"),
    expected: tcpLine("INET", net("0.0.0.0", 0), net("0.0.0.0", 0)),
  },
  {
    name: "the longest TCP6 line, 104 bytes",
    source: "specification 2.1",
    bytes: ascii(
      "PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff " +
        "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n",
    ),
    expected: tcpLine(
      "INET6",
      net("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 65535),
      net("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 65535),
    ),
  },
  {
    name: "the shortest TCP6 line",
    source: "specification 2.1",
    bytes: ascii("PROXY TCP6 :: :: 0 0\r\n"),
    expected: tcpLine("INET6", net("::", 0), net("::", 0)),
  },
  {
    name: "UNKNOWN in its short form, 15 bytes",
    source: "specification 2.1",
    bytes: SHORT_UNKNOWN,
    expected: UNKNOWN,
  },
  {
    name: "UNKNOWN in its worst case, 107 bytes",
    source: "specification 2.1",
    bytes: ascii(
      "PROXY UNKNOWN ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff " +
        "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n",
    ),
    expected: UNKNOWN,
    canonical: SHORT_UNKNOWN,
  },
  {
    name: "UNKNOWN and a space",
    source: "specification 2.1: anything before CRLF is ignored",
    bytes: ascii("PROXY UNKNOWN \r\n"),
    expected: UNKNOWN,
    canonical: SHORT_UNKNOWN,
  },
  ...([
    ["a lone LF", " a\nb"],
    ["a lone CR", " a\rb"],
    ["lone CRs and LFs alone", " \n\r\r"],
    ["a CR in front of CRLF", " \r"],
    ["a LF in front of CRLF", " \n"],
  ] as const).map(([name, rest]): Vector => ({
    name: `UNKNOWN and ${name}`,
    source:
      "specification 2.1: anything before CRLF is ignored; test suites of other receivers",
    bytes: ascii(`PROXY UNKNOWN${rest}\r\n`),
    expected: UNKNOWN,
    canonical: SHORT_UNKNOWN,
  })),
  {
    name: "UNKNOWN and LFs up to 107 bytes",
    source: "specification 2.1: a line has at most 107 bytes",
    bytes: ascii(`PROXY UNKNOWN ${"\n".repeat(91)}\r\n`),
    expected: UNKNOWN,
    canonical: SHORT_UNKNOWN,
  },
  {
    name: "UNKNOWN and bytes that are no text",
    source: "specification 2.1: anything before CRLF is ignored",
    bytes: ascii("PROXY UNKNOWN \0\xff\t PROXY\r\n"),
    expected: UNKNOWN,
    canonical: SHORT_UNKNOWN,
  },
];

/** IPv6 text, its RFC 5952 form; section 2.1 takes either letter case. */
const IPV6_TEXTS: readonly [string, string, string][] = [
  ["an upper-case address", "2001:DB8::ABCD", "2001:db8::abcd"],
  [
    "an address with leading zeroes in its groups",
    "2001:0db8:0000:0000:0000:0000:0000:0001",
    "2001:db8::1",
  ],
  ["an address with `::` at the start", "::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"],
  ["an address with `::` at the end", "1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"],
  ["an address with `::` for one group", "1:2:3::5:6:7:8", "1:2:3:0:5:6:7:8"],
  ["two runs of zeroes, the second longer", "1:0:0:2::3", "1:0:0:2::3"],
  ["two runs of zeroes of one length", "1::2:0:0:3:4", "1::2:0:0:3:4"],
  ["the second run of two shortened", "1:0:0:2:3::4", "1::2:3:0:0:4"],
  ["a group like 0a0b", "1::0a0b", "1::a0b"],
  ["a mapped address", "::ffff:192.0.2.1", "::ffff:192.0.2.1"],
  ["a mapped address in hex", "::FFFF:c000:201", "::ffff:192.0.2.1"],
  ["a mapped address in full", "0:0:0:0:0:ffff:1.2.3.4", "::ffff:1.2.3.4"],
  ["a NAT64 address", "64:ff9b::192.0.2.33", "64:ff9b::c000:221"],
  [
    "an address of six groups and a dotted quad",
    "1:2:3:4:5:6:7.8.9.255",
    "1:2:3:4:5:6:708:9ff",
  ],
  ["an address nearly mapped", "::fffe:1.2.3.4", "::fffe:102:304"],
  [
    "an address nearly mapped by its tenth byte",
    "::1:ffff:1.2.3.4",
    "::1:ffff:102:304",
  ],
  ["an address nearly mapped in front", "1::ffff:1.2.3.4", "1::ffff:102:304"],
];

const V1_IPV6: readonly Vector[] = IPV6_TEXTS.flatMap(
  ([name, text, rfc5952]) => [
    {
      name: `${name} as source`,
      source: "specification 2.1, RFC 4291 2.2, RFC 5952",
      bytes: ascii(`PROXY TCP6 ${text} :: 1 2\r\n`),
      expected: tcpLine("INET6", net(rfc5952, 1), net("::", 2)),
      canonical: ascii(`PROXY TCP6 ${rfc5952} :: 1 2\r\n`),
    },
    {
      name: `${name} as destination`,
      source: "specification 2.1, RFC 4291 2.2, RFC 5952",
      bytes: ascii(`PROXY TCP6 :: ${text} 1 2\r\n`),
      expected: tcpLine("INET6", net("::", 1), net(rfc5952, 2)),
      canonical: ascii(`PROXY TCP6 :: ${rfc5952} 1 2\r\n`),
    },
  ],
);

/** A UNIX path of 108 bytes, and an abstract one: neither has an end to find. */
const FULL_PATH = "/" + "a".repeat(107);
const FULL_ABSTRACT = "\0" + "b".repeat(107);

const V2: readonly Vector[] = [
  {
    name: "LOCAL",
    source: "specification 2.2: LOCAL sets the length to zero",
    bytes: LOCAL_HEADER,
    expected: local(),
  },
  {
    name: "PROXY with TCP over IPv4",
    source: "specification 2.2, \\x11",
    bytes: v2("2111", BLOCK4),
    expected: inet(),
  },
  {
    name: "PROXY with UDP over IPv4",
    source: "specification 2.2, \\x12",
    bytes: v2("2112", BLOCK4),
    expected: {
      ...inet(),
      transport: "DGRAM",
      source: net("192.0.2.1", 56324, "udp"),
      destination: net("198.51.100.1", 443, "udp"),
    },
  },
  {
    name: "PROXY with TCP over IPv6",
    source: "specification 2.2, \\x21",
    bytes: v2("2121", BLOCK6),
    expected: inet6(),
  },
  {
    name: "PROXY with UDP over IPv6",
    source: "specification 2.2, \\x22",
    bytes: v2("2122", BLOCK6),
    expected: {
      ...inet6(),
      transport: "DGRAM",
      source: net("2001:db8::1", 56324, "udp"),
      destination: net("2001:db8::2", 443, "udp"),
    },
  },
  {
    name: "PROXY with UNIX stream",
    source: "specification 2.2, \\x31",
    bytes: v2("2131", BLOCK_UNIX),
    expected: unixInfo(),
  },
  {
    name: "PROXY with UNIX datagram",
    source: "specification 2.2, \\x32",
    bytes: v2("2132", BLOCK_UNIX),
    expected: {
      ...unixInfo(),
      transport: "DGRAM",
      source: unix("/run/a", "unixpacket"),
      destination: unix("/run/b", "unixpacket"),
    },
  },
  {
    name: "UNIX paths of all 108 bytes",
    source: "specification 2.2: addresses are exactly 108 bytes",
    bytes: v2("2131", textHex(FULL_PATH) + textHex(FULL_ABSTRACT)),
    expected: unixInfo(FULL_PATH, FULL_ABSTRACT),
  },
  {
    name: "UNIX sockets without a path",
    source: "unix(7), unnamed",
    bytes: v2("2131", unixPath("") + unixPath("")),
    expected: unixInfo("", ""),
  },
  {
    name: "an abstract UNIX path",
    source: "unix(7), abstract; design: keeps its leading NUL",
    bytes: v2("2131", unixPath("0061") + unixPath("6200")),
    expected: unixInfo("\0a", "b"),
  },
  {
    name: "UNIX paths with bytes after their NUL",
    source: "design: a UNIX path ends at its NUL",
    bytes: v2("2131", unixPath("2f61002f62") + unixPath("0063006400ff")),
    expected: unixInfo("/a", "\0c"),
  },
  {
    name: "a UNIX path that is not UTF-8",
    source: "types.ts: a lone surrogate for each byte",
    bytes: v2("2131", unixPath("2fff41") + unixPath("2fc3bf")),
    expected: unixInfo("/\udcffA", "/\u00ff"),
  },
  {
    name: "every octet and port byte in its place",
    source: "specification 2.2, network byte order",
    bytes: v2("2111", "01020304 05060708 090a 0b0c"),
    expected: {
      ...inet(),
      source: net("1.2.3.4", 0x090a),
      destination: net("5.6.7.8", 0x0b0c),
    },
  },
  {
    name: "every IPv6 octet and port byte in its place",
    source: "specification 2.2, network byte order",
    bytes: v2(
      "2121",
      "0102030405060708090a0b0c0d0e0f10" +
        "1112131415161718191a1b1c1d1e1f20" + "2122 2324",
    ),
    expected: {
      ...inet6(),
      source: net("102:304:506:708:90a:b0c:d0e:f10", 0x2122),
      destination: net("1112:1314:1516:1718:191a:1b1c:1d1e:1f20", 0x2324),
    },
  },
  ...([
    ["10", "INET", BLOCK4],
    ["20", "INET6", BLOCK6],
    ["30", "UNIX", BLOCK_UNIX],
  ] as const).flatMap(([byte, family, block]): Vector[] => [
    {
      name: `PROXY with the family byte 0x${byte}`,
      source: "specification 2.2: UNSPEC, free to accept",
      bytes: v2(`21${byte}`),
      expected: unspec(family, "UNSPEC"),
    },
    {
      name: `PROXY with the family byte 0x${byte} and its block`,
      source: "specification 2.2: the block follows the family alone",
      bytes: v2(`21${byte}`, block),
      expected: unspec(family, "UNSPEC", {}, 16 + block.length / 2),
    },
    {
      name: `PROXY with the family byte 0x${byte}, its block and a TLV`,
      source: "specification 2.2: TLVs come after the addresses",
      bytes: v2(`21${byte}`, block + tlv("01", "6832")),
      expected: unspec(
        family,
        "UNSPEC",
        { ALPN: "h2" },
        16 + block.length / 2,
      ),
    },
    {
      name: `PROXY with the family byte 0x${byte} and a part of its block`,
      source: "without room for the block there are no TLVs",
      bytes: v2(`21${byte}`, tlv("01", "6832") + tlv("04", "000000")),
      expected: unspec(family, "UNSPEC", {}, 16 + 11),
    },
    {
      name: `PROXY with the family byte 0x${byte} and all but one byte of it`,
      source: "without room for the block there are no TLVs",
      bytes: v2(`21${byte}`, block.slice(2)),
      expected: unspec(family, "UNSPEC", {}, 16 + block.length / 2 - 1),
    },
  ]),
  {
    name: "an AUTHORITY that is an IPv4 address",
    source: "test suites of other receivers",
    bytes: hex("0d0a0d0a000d0a515549540a2110000c0200066576696c2e696f01bb"),
    expected: unspec("INET", "UNSPEC", {}, 28),
  },
  ...([
    ["00", "UNSPEC", "UNSPEC"],
    ["01", "UNSPEC", "STREAM"],
    ["02", "UNSPEC", "DGRAM"],
  ] as const).flatMap(([byte, family, transport]): Vector[] => [
    {
      name: `PROXY with the family byte 0x${byte}`,
      source: "specification 2.2: UNSPEC, free to accept",
      bytes: v2(`21${byte}`),
      expected: unspec(family, transport),
    },
    {
      name: `PROXY with the family byte 0x${byte} and bytes that are no TLV`,
      source: "design: without an address block TLVs are read leniently",
      bytes: v2(`21${byte}`, tlv("01", "6832") + "ffff"),
      expected: unspec(family, transport, { ALPN: "h2" }),
    },
  ]),
  ...([
    ["00", ""],
    ["01", ""],
    ["02", ""],
    ["10", ""],
    ["11", BLOCK4],
    ["12", BLOCK4],
    ["20", ""],
    ["21", BLOCK6],
    ["22", BLOCK6],
    ["30", ""],
    ["31", BLOCK_UNIX],
    ["32", BLOCK_UNIX],
  ] as const).flatMap(([byte, block]): Vector[] => [
    {
      name: `LOCAL with the family byte 0x${byte} and its block`,
      source: "specification 2.2: discard the block and the family",
      bytes: v2(`20${byte}`, block),
      expected: local({}, 16 + block.length / 2),
      canonical: LOCAL_HEADER,
    },
    {
      name: `LOCAL with the family byte 0x${byte} and no block`,
      source: "specification 2.2: LOCAL sets the length to zero",
      bytes: v2(`20${byte}`),
      expected: local(),
      canonical: LOCAL_HEADER,
    },
    {
      name: `LOCAL with the family byte 0x${byte}, its block and a TLV`,
      source: "interop/findings.md: LOCAL carries TLVs too",
      bytes: v2(`20${byte}`, block + tlv("e0", "61")),
      expected: local({ xE0: hex("61") }, 16 + block.length / 2),
      canonical: v2("2000", tlv("e0", "61")),
    },
  ]),
  {
    name: "LOCAL with one stray byte",
    source: "design: LOCAL is accepted whatever its block holds",
    bytes: v2("2000", "ff"),
    expected: local(),
    canonical: LOCAL_HEADER,
  },
  ...["ff", "40", "13", "4f"].flatMap((byte): Vector[] => [
    {
      name: `LOCAL with the undefined family byte 0x${byte}`,
      source:
        "specification 2.2: the family of LOCAL is ignored; test suites of other receivers",
      bytes: v2(`20${byte}`),
      expected: local(),
      canonical: LOCAL_HEADER,
    },
    {
      name: `LOCAL with the undefined family byte 0x${byte} and more`,
      source: "no family says where its TLVs would begin",
      bytes: v2(`20${byte}`, tlv("01", "6832") + tlv("e0", "00".repeat(300))),
      expected: local({}, 16 + 5 + 303),
      canonical: LOCAL_HEADER,
    },
  ]),
  {
    name: "LOCAL with a short block",
    source: "design: LOCAL is accepted whatever its block holds",
    bytes: v2("2011", "ffffff"),
    expected: local(),
    canonical: LOCAL_HEADER,
  },
  {
    name: "LOCAL with values that do not fit their types",
    source: "design: LOCAL is accepted whatever its block holds",
    bytes: v2(
      "2000",
      tlv("03", "010203") + tlv("05", "61".repeat(129)) + tlv("01", "61"),
    ),
    expected: local({ ALPN: "a" }),
    canonical: v2("2000", tlv("01", "61")),
  },
];

/** One TLV each: hex of the TLV, what it is in `Tlvs`. */
const TLVS: readonly [string, string, Tlvs][] = [
  ["ALPN", tlv("01", "6832"), { ALPN: "h2" }],
  ["ALPN of no bytes", tlv("01"), { ALPN: "" }],
  ["ALPN that is not UTF-8", tlv("01", "61ff80"), { ALPN: "a\udcff\udc80" }],
  ["ALPN that starts with a BOM", tlv("01", "efbbbf61"), { ALPN: "\ufeffa" }],
  ["AUTHORITY in UTF-8", tlv("02", "c3a92e6672"), { AUTHORITY: "\u00e9.fr" }],
  ["NOOP", tlv("04", "000102"), { NOOP: hex("000102") }],
  ["NOOP of no bytes", tlv("04"), { NOOP: hex("") }],
  ["UNIQUE_ID of no bytes", tlv("05"), { UNIQUE_ID: hex("") }],
  [
    "UNIQUE_ID of 128 bytes",
    tlv("05", "ab".repeat(128)),
    { UNIQUE_ID: hex("ab".repeat(128)) },
  ],
  [
    "SSL without sub-TLVs",
    tlv("20", "00 00000000"),
    { SSL: true, SSL_CLIENT: 0, SSL_VERIFY: 0 },
  ],
  [
    "SSL with all its bits",
    tlv("20", "ff fffffffe"),
    { SSL: true, SSL_CLIENT: 255, SSL_VERIFY: 4294967294 },
  ],
  [
    "SSL with all named sub-TLVs",
    tlv(
      "20",
      "07 00000000" +
        tlv("21", textHex("TLSv1.3")) +
        tlv("22", textHex("example.com")) +
        tlv("23", textHex("ECDHE-RSA-AES128-GCM-SHA256")) +
        tlv("24", textHex("RSA-SHA256")) +
        tlv("25", textHex("RSA2048")) +
        tlv("26", textHex("secp256r1")) +
        tlv("27", textHex("rsa_pss_rsae_sha256")) +
        tlv("28", "3082ff00"),
    ),
    {
      SSL: true,
      SSL_CLIENT: 7,
      SSL_VERIFY: 0,
      SSL_VERSION: "TLSv1.3",
      SSL_CN: "example.com",
      SSL_CIPHER: "ECDHE-RSA-AES128-GCM-SHA256",
      SSL_SIG_ALG: "RSA-SHA256",
      SSL_KEY_ALG: "RSA2048",
      SSL_GROUP: "secp256r1",
      SSL_SIG_SCHEME: "rsa_pss_rsae_sha256",
      SSL_CLIENT_CERT: hex("3082ff00"),
    },
  ],
  [
    "SSL with sub-TLVs of later editions",
    tlv("20", "01 00000001" + tlv("29", "01") + tlv("2f")),
    { SSL: true, SSL_CLIENT: 1, SSL_VERIFY: 1, x29: hex("01"), x2F: hex("") },
  ],
  ["NETNS", tlv("30", textHex("blue")), { NETNS: "blue" }],
  ["a TLV of an unassigned type", tlv("00", "01"), { x00: hex("01") }],
  ["the first custom type", tlv("e0", "61"), { xE0: hex("61") }],
  ["the last custom type", tlv("ef"), { xEF: hex("") }],
  ["the first experimental type", tlv("f0", "00"), { xF0: hex("00") }],
  ["the last experimental type", tlv("f7", "ff"), { xF7: hex("ff") }],
  ["the first future type", tlv("f8", "ff"), { xF8: hex("ff") }],
  ["the last future type", tlv("ff", "ffff"), { xFF: hex("ffff") }],
  [
    "TLVs of several types",
    tlv("e0") + tlv("30", "61") + tlv("20", "0100000001" + tlv("22", "62")) +
    tlv("04", "00") + tlv("02", "63"),
    {
      xE0: hex(""),
      NETNS: "a",
      SSL: true,
      SSL_CLIENT: 1,
      SSL_VERIFY: 1,
      SSL_CN: "b",
      NOOP: hex("00"),
      AUTHORITY: "c",
    },
  ],
];

const V2_TLVS: readonly Vector[] = TLVS.flatMap(([name, digits, tlvs]) => [
  {
    name: `${name} over IPv4`,
    source: "specification 2.2.1 to 2.2.8",
    bytes: v2("2111", BLOCK4 + digits),
    expected: inet(tlvs),
  },
  {
    name: `${name} over IPv6`,
    source: "specification 2.2.1 to 2.2.8",
    bytes: v2("2121", BLOCK6 + digits),
    expected: inet6(tlvs),
  },
  {
    name: `${name} after UNIX paths`,
    source: "specification 2.2.1 to 2.2.8",
    bytes: v2("2131", BLOCK_UNIX + digits),
    expected: { ...unixInfo(), tlvs },
  },
]);

/** Checksums by a bitwise CRC32C in Python, the parameters of RFC 4960. */
const V2_TLVS_MORE: readonly Vector[] = [
  {
    name: "CRC32C alone",
    source: "specification 2.2.3",
    bytes: v2("2111", BLOCK4 + tlv("03", "737ee919")),
    expected: inet({ CRC32C: 0x737ee919 }),
  },
  {
    name: "CRC32C as the last TLV",
    source: "specification 2.2.3",
    bytes: v2("2111", BLOCK4 + tlv("01", "6832") + tlv("03", "12e81190")),
    expected: inet({ ALPN: "h2", CRC32C: 0x12e81190 }),
  },
  {
    name: "CRC32C between other TLVs",
    source: "specification 2.2.3",
    bytes: v2(
      "2111",
      BLOCK4 + tlv("01", "6832") + tlv("03", "a3637f35") + tlv("04"),
    ),
    expected: inet({ ALPN: "h2", CRC32C: 0xa3637f35, NOOP: hex("") }),
  },
  {
    name: "CRC32C on LOCAL with a block",
    source: "interop/findings.md: CRC32C must be checked on LOCAL too",
    bytes: v2("2011", BLOCK4 + tlv("03", "06ad1921")),
    expected: local({ CRC32C: 0x06ad1921 }, 28),
    canonical: v2("2000", tlv("03", "a9b87e8f")),
  },
  {
    name: "CRC32C on PROXY with UNSPEC",
    source: "specification 2.2.3",
    bytes: v2("2100", tlv("03", "3ec9894e")),
    expected: unspec("UNSPEC", "UNSPEC", { CRC32C: 0x3ec9894e }),
  },
  {
    name: "duplicates, of which the last one counts",
    source: "design: the last of duplicates wins",
    bytes: v2(
      "2111",
      BLOCK4 + tlv("e0", "61") + tlv("01", "6832") + tlv("e0", "6263"),
    ),
    expected: inet({ xE0: hex("6263"), ALPN: "h2" }),
  },
  {
    name: "two SSL TLVs, of which the last one counts alone",
    source: "design: the last of duplicates wins",
    bytes: v2(
      "2111",
      BLOCK4 +
        tlv("20", "07 00000000" + tlv("22", "61") + tlv("21", "62")) +
        tlv("20", "01 00000001" + tlv("21", "63")),
    ),
    expected: inet({
      SSL: true,
      SSL_CLIENT: 1,
      SSL_VERIFY: 1,
      SSL_VERSION: "c",
    }),
  },
  {
    name: "a sub-TLV outside SSL, which is no fact of it",
    source: "section 2.2.6: second level TLVs",
    bytes: v2("2111", BLOCK4 + tlv("22", "61") + tlv("20", "0700000000")),
    expected: inet({
      x22: hex("61"),
      SSL: true,
      SSL_CLIENT: 7,
      SSL_VERIFY: 0,
    }),
  },
  {
    name: "a sub-TLV behind SSL, which does not replace its own",
    source: "section 2.2.6: second level TLVs",
    bytes: v2(
      "2111",
      BLOCK4 + tlv("20", "0700000000" + tlv("22", "61")) + tlv("22", "62"),
    ),
    expected: inet({
      SSL: true,
      SSL_CLIENT: 7,
      SSL_VERIFY: 0,
      SSL_CN: "a",
      x22: hex("62"),
    }),
  },
  {
    name: "a type twice",
    source: "test suites of other receivers",
    bytes: hex(
      "0d0a0d0a000d0a515549540a21110016c0000201c6336401dc0401bb" +
        "ef000201aaef000202bb",
    ),
    expected: inet({ xEF: hex("02bb") }),
  },
  {
    name: "custom types twice inside SSL",
    source: "section 2.2.6: second level TLVs",
    bytes: v2(
      "2111",
      BLOCK4 + tlv(
        "20",
        "0100000001" + tlv("e0", "61") + tlv("22", "62") + tlv("e0", "63") +
          tlv("22", "64") + tlv("2f") + tlv("01", "6833"),
      ),
    ),
    expected: inet({
      SSL: true,
      SSL_CLIENT: 1,
      SSL_VERIFY: 1,
      xE0: hex("63"),
      SSL_CN: "d",
      x2F: hex(""),
    }),
  },
  {
    name: "a custom type in SSL, which does not hide the one in front",
    source: "section 2.2.6: second level TLVs",
    bytes: v2(
      "2111",
      BLOCK4 + tlv("e0", "61") + tlv("20", "0100000001" + tlv("e0", "62")),
    ),
    expected: inet({ xE0: hex("61"), SSL: true, SSL_CLIENT: 1, SSL_VERIFY: 1 }),
  },
  {
    name: "a custom type in SSL, which does not hide the one behind",
    source: "section 2.2.6: second level TLVs",
    bytes: v2(
      "2111",
      BLOCK4 + tlv("20", "0100000001" + tlv("e0", "62")) + tlv("e0", "61"),
    ),
    expected: inet({ SSL: true, SSL_CLIENT: 1, SSL_VERIFY: 1, xE0: hex("61") }),
  },
  {
    name: "two checksums, of which the last one is verified",
    source: "design: the last of duplicates wins",
    bytes: v2("2111", BLOCK4 + tlv("03", "11111111") + tlv("03", "24b49862")),
    expected: inet({ CRC32C: 0x24b49862 }),
  },
  {
    name: "LOCAL with a block that only looks like a checksum",
    source: "design: LOCAL is accepted whatever its block holds",
    bytes: v2("2000", tlv("03", "00000001") + "ff"),
    expected: local({ CRC32C: 1 }),
    canonical: v2("2000", tlv("03", "a9b87e8f")),
  },
  {
    name: "a header of 4096 bytes, the default limit",
    source: "design: maxLength is 4096 bytes of header",
    bytes: v2("2111", BLOCK4 + tlv("e0", "78".repeat(4096 - 28 - 3))),
    expected: inet({ xE0: hex("78".repeat(4096 - 28 - 3)) }),
  },
];

/** Vendors' own types, section 2.2.8. */
const VENDORS: readonly Vector[] = [
  {
    name: "the header of an AWS Network Load Balancer",
    source:
      "AWS documentation, VPC endpoint services; its CRC32C is right by another implementation",
    bytes: hex(
      "0d0a0d0a000d0a515549540a21110054" + "ac1f0771ac1f0a1fc8f20050" +
        "030004e8d6892d" +
        "ea001701767063652d3038643262663135666163353030316339" +
        "040024" + "00".repeat(36),
    ),
    expected: {
      ...inet({
        CRC32C: 0xe8d6892d,
        xEA: ascii("\x01vpce-08d2bf15fac5001c9"),
        NOOP: new Uint8Array(36),
      }),
      source: net("172.31.7.113", 51442),
      destination: net("172.31.10.31", 80),
    },
  },
  {
    name: "the TLV of Azure Private Link",
    source: "Azure documentation, Private Link service, TCP Proxy v2",
    bytes: v2("2111", BLOCK4 + "ee0005 01 78563412"),
    expected: inet({ xEE: hex("0178563412") }),
  },
  {
    name: "the TLV of Google Private Service Connect",
    source: "Google Cloud documentation, Private Service Connect producers",
    bytes: v2("2111", BLOCK4 + "e00008 0102030405060708"),
    expected: inet({ xE0: hex("0102030405060708") }),
  },
];

const RECEIVED: readonly Vector[] = [
  {
    ...receiverCase("v1-tcp4"),
    expected: tcpLine(
      "INET",
      net("192.0.2.1", 1111),
      net("198.51.100.1", 2222),
    ),
  },
  {
    ...receiverCase("v1-tcp6"),
    expected: tcpLine(
      "INET6",
      net("2001:db8::1", 1111),
      net("2001:db8::2", 2222),
    ),
  },
  {
    ...receiverCase("v1-tcp6-full"),
    expected: tcpLine(
      "INET6",
      net("2001:db8::1", 1111),
      net("2001:db8::2", 2222),
    ),
    canonical: ascii("PROXY TCP6 2001:db8::1 2001:db8::2 1111 2222\r\n"),
  },
  {
    ...receiverCase("v1-tcp6-mapped"),
    expected: tcpLine(
      "INET6",
      net("::ffff:192.0.2.1", 1111),
      net("::ffff:198.51.100.1", 2222),
    ),
  },
  { ...receiverCase("v1-unknown"), expected: UNKNOWN },
  ...["v1-unknown+addr", "v1-unknown-max107"].map((name) => ({
    ...receiverCase(name),
    expected: UNKNOWN,
    canonical: SHORT_UNKNOWN,
  })),
  {
    ...receiverCase("v1-port0"),
    expected: tcpLine("INET", net("192.0.2.1", 0), net("198.51.100.1", 0)),
  },
  ...([
    ["v2-tcp4", {}],
    ["v2-tcp4+tlvs", {
      ALPN: "h2",
      AUTHORITY: "auth.example",
      UNIQUE_ID: ascii("uid-1234"),
      xE0: ascii("custom"),
    }],
    ["v2-tcp4+ssl", {
      SSL: true,
      SSL_CLIENT: 7,
      SSL_VERIFY: 0,
      SSL_VERSION: "TLSv1.3",
      SSL_CN: "client.example",
      SSL_CIPHER: "TLS_AES_256_GCM_SHA384",
      SSL_SIG_ALG: "RSA-SHA256",
      SSL_KEY_ALG: "RSA2048",
    }],
    ["v2-tcp4+noop", { NOOP: new Uint8Array(20) }],
    ["v2-tcp4+crc", { CRC32C: 0x5e95fff2 }],
    ["v2-big500", { xE0: ascii("x".repeat(500)) }],
  ] as const).map(([name, tlvs]) => ({
    ...receiverCase(name),
    expected: {
      ...inet(tlvs),
      source: net("192.0.2.1", 1111),
      destination: net("198.51.100.1", 2222),
    },
  })),
  ...([
    ["v2-tcp6", {}],
    ["v2-tcp6+tlvs", {
      ALPN: "h2",
      AUTHORITY: "auth.example",
      UNIQUE_ID: ascii("uid-1234"),
      xE0: ascii("custom"),
    }],
  ] as const).map(([name, tlvs]) => ({
    ...receiverCase(name),
    expected: {
      ...inet6(tlvs),
      source: net("2001:db8::1", 1111),
      destination: net("2001:db8::2", 2222),
    },
  })),
  { ...receiverCase("v2-local"), expected: local() },
  {
    ...receiverCase("v2-local+tcp4addr"),
    expected: local({}, 28),
    canonical: LOCAL_HEADER,
  },
  { ...receiverCase("v2-local+tlv"), expected: local({ NOOP: hex("000000") }) },
  { ...receiverCase("v2-unspec"), expected: unspec("UNSPEC", "UNSPEC") },
  {
    ...receiverCase("v2-unspec+tlv"),
    expected: unspec("UNSPEC", "UNSPEC", { NOOP: hex("000000") }),
  },
  {
    ...receiverCase("v2-udp4"),
    expected: {
      ...inet(),
      transport: "DGRAM",
      source: net("192.0.2.1", 1111, "udp"),
      destination: net("198.51.100.1", 2222, "udp"),
    },
  },
  {
    ...receiverCase("v2-udp6"),
    expected: {
      ...inet6(),
      transport: "DGRAM",
      source: net("2001:db8::1", 1111, "udp"),
      destination: net("2001:db8::2", 2222, "udp"),
    },
  },
  {
    ...receiverCase("v2-unix"),
    expected: unixInfo("/run/a.sock", "/run/b.sock"),
  },
];

/** All of them. */
export const ACCEPTED: readonly Vector[] = [
  ...V1,
  ...V1_IPV6,
  ...V2,
  ...V2_TLVS,
  ...V2_TLVS_MORE,
  ...VENDORS,
  ...RECEIVED,
  ...CAPTURES,
];

/** Runs a check for every vector; a failure names the vector. */
export function forEachVector(check: (vector: Vector) => void): void {
  for (const vector of ACCEPTED) {
    try {
      check(vector);
    } catch (cause) {
      throw new Error(`Fails for ${vector.name} (${vector.source})`, { cause });
    }
  }
}

/** A vector by its name. */
export function vectorNamed(name: string): Vector {
  const vector = ACCEPTED.find((candidate) => candidate.name === name);
  if (vector === undefined) throw new Error(`No vector named ${name}`);
  return vector;
}
