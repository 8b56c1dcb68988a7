/**
 * Headers that a receiver refuses, each cut where the fault shows: the first
 * part could still become a header, with the first byte of the second it
 * cannot.
 *
 * @module
 */

import type { DecodeOptions, ProxyProtocolErrorCode } from "../../codec/mod.ts";
import { MIXED_LINES } from "./_captures.ts";
import { ascii, BLOCK4, BLOCK_UNIX, hex, SIGNATURE_HEX, tlv } from "./_hex.ts";
import { receiverCase } from "./_receiver_cases.ts";

/** A header that is refused. */
export interface Refusal {
  /** What is wrong with it, as a noun. */
  name: string;
  bytes: Uint8Array;
  options?: DecodeOptions;
  code: ProxyProtocolErrorCode;
  /** Byte that the error names. */
  offset: number;
  /** Length of the shortest prefix that is refused. */
  refusedAt: number;
  /** Version that the error names, once the signature is in. */
  version: 1 | 2 | undefined;
}

/** Where the fault is named, when that is not where it shows; the options. */
type Details = Partial<Pick<Refusal, "offset" | "options">>;

function v1(
  name: string,
  good: string,
  bad: string,
  code: ProxyProtocolErrorCode,
  details: Details = {},
): Refusal {
  return {
    name,
    bytes: ascii(good + bad),
    code,
    offset: good.length,
    refusedAt: good.length + 1,
    version: code === "signature" ? undefined : 1,
    ...details,
  };
}

function v2(
  name: string,
  good: string,
  bad: string,
  code: ProxyProtocolErrorCode,
  details: Details = {},
): Refusal {
  const goodBytes = hex(good);
  return {
    name,
    bytes: hex(good + bad),
    code,
    offset: goodBytes.length,
    refusedAt: goodBytes.length + 1,
    version: code === "signature" ? undefined : 2,
    ...details,
  };
}

const TCP4 = "PROXY TCP4 ";
const TCP6 = "PROXY TCP6 ";
const ADDRESSES4 = `${TCP4}192.0.2.1 198.51.100.1 `;
const FULL_IPV6 = "1:2:3:4:5:6:7:8";

const V1_STARTS: readonly Refusal[] = [
  v1("an HTTP request", "", "GET / HTTP/1.1\r\n", "signature"),
  v1("a TLS ClientHello", "", "\x16\x03\x01\x02\0\x01\0", "signature"),
  v1("a line in lower case", "", "proxy TCP4 1.2.3.4", "signature"),
  v1("a space before the line", "", " PROXY UNKNOWN\r\n", "signature"),
  v1("PROXY with a lower-case letter", "PROX", "y TCP4 ", "signature"),
  v1("an HTTP PROPFIND request", "PRO", "PFIND / HTTP/1.1\r\n", "signature"),
  v1("a tab behind PROXY", "PROXY", "\tTCP4 192.0.2.1", "signature"),
  v1("a line of PROXY alone", "PROXY", "\r\n", "signature"),
  v1("two spaces behind PROXY", "PROXY ", " TCP4 192.0.2.1", "family"),
  v1("no protocol", "PROXY ", "\r\n", "family"),
  v1("a protocol in lower case", "PROXY ", "tcp4 192.0.2.1", "family"),
  v1("TCP5", "PROXY TCP", "5 192.0.2.1 198.51.100.1 1 2\r\n", "family"),
  v1("TCP without a digit", "PROXY TCP", " 192.0.2.1", "family"),
  v1("TCP46", "PROXY TCP4", "6 192.0.2.1", "family"),
  v1("UDP4", "PROXY U", "DP4 192.0.2.1", "family"),
  v1("UNKNOWN cut short", "PROXY UNKNOW", "\r\n", "family"),
  v1("TCP4 and a tab", "PROXY TCP4", "\t192.0.2.1", "family"),
  v1("TCP4 without addresses", "PROXY TCP4", "\r\n", "family"),
];

const V1_UNKNOWN: readonly Refusal[] = [
  v1("UNKNOWNX", "PROXY UNKNOWN", "X\r\n", "line"),
  v1("UNKNOWN and a tab", "PROXY UNKNOWN", "\t\r\n", "line"),
  v1("UNKNOWN ended by LF", "PROXY UNKNOWN", "\n\n\n", "line"),
  v1("UNKNOWN ended by CR", "PROXY UNKNOWN\r", "\r\n", "line"),
  // 106 bytes without CR need 2 more, which is one over the limit.
  v1(
    "UNKNOWN of 108 bytes",
    "PROXY UNKNOWN " + "x".repeat(91),
    "x\r\n",
    "line",
    { offset: 106 },
  ),
  v1(
    "UNKNOWN of 107 bytes that end with CR",
    "PROXY UNKNOWN " + "\r".repeat(92),
    "\r\n",
    "line",
    { offset: 107 },
  ),
  v1(
    "UNKNOWN of 4096 bytes without an end",
    "PROXY UNKNOWN " + "x".repeat(91),
    "x".repeat(4096),
    "line",
    { offset: 106 },
  ),
];

const V1_TCP4: readonly Refusal[] = [
  v1("two spaces before the source", TCP4, " 192.0.2.1 ", "address"),
  v1("two spaces before the destination", `${TCP4}192.0.2.1 `, " ", "address"),
  v1("a leading zero in an octet", `${TCP4}192.0`, "00.2.1 ", "address"),
  v1("an octet of two zeroes", `${TCP4}0`, "0.0.0.0 ", "address"),
  v1("an octet of 7 digits that is 1", `${TCP4}0`, "000001.0.0.0 ", "address"),
  v1("an octet of 256", `${TCP4}192.0.2.25`, "6 ", "address"),
  v1("an octet of 256 in front", `${TCP4}25`, "6.0.2.1 ", "address"),
  v1("an octet of 1000", `${TCP4}100`, "0.0.2.1 ", "address"),
  v1("an empty octet", `${TCP4}192.`, ".2.1 ", "address"),
  v1("an empty octet in front", TCP4, ".0.2.1 ", "address"),
  v1("an empty octet at the end", `${TCP4}192.0.2.`, " 198.51.1.1", "address"),
  v1("three octets", `${TCP4}192.0.2`, " 198.51.100.1 1 2\r\n", "address"),
  v1("five octets", `${TCP4}192.0.2.1`, ".1 198.51.100.1 ", "address"),
  v1("a sign in an octet", TCP4, "+1.2.3.4 ", "address"),
  v1("a hex octet", `${TCP4}0`, "x7f.0.0.1 ", "address"),
  v1("an IPv6 source in TCP4", TCP4, "::1 ::1 1 2\r\n", "address"),
  v1("an IPv6 address of digits in TCP4", `${TCP4}1`, "::2 1 2\r\n", "address"),
  v1("an IPv6 destination in TCP4", `${TCP4}1.2.3.4 200`, "1:db8", "address"),
  v1("a mapped source in TCP4", TCP4, "::ffff:1.2.3.4 ", "address"),
  v1("a host name", TCP4, "localhost 192.0.2.1 1 2\r\n", "address"),
  v1("a NUL in an address", `${TCP4}192.0.2.1`, "\0 ", "address"),
  v1("a tab behind the source", `${TCP4}192.0.2.1`, "\t198.51", "address"),
  v1("no destination", `${TCP4}192.0.2.1`, "\r\n", "address"),
  v1("a space and no destination", `${TCP4}192.0.2.1 `, "\r\n", "address"),
  v1("a byte over 0x7F in an address", `${TCP4}1`, "\xb2.0.2.1 ", "address"),
];

const V1_PORTS: readonly Refusal[] = [
  v1("no ports", `${TCP4}1.2.3.4 5.6.7.8`, "\r\n", "address"),
  v1("a space and no ports", ADDRESSES4, "\r\n", "port"),
  v1("no destination port", `${ADDRESSES4}1111`, "\r\n", "port"),
  v1("a space and no destination port", `${ADDRESSES4}1 `, "\r\n", "port"),
  v1("two spaces before the ports", ADDRESSES4, " 1 2\r\n", "port"),
  v1("two spaces between the ports", `${ADDRESSES4}1 `, " 2\r\n", "port"),
  v1("a leading zero in the source port", `${ADDRESSES4}0`, "80 2\r\n", "port"),
  v1("a leading zero in the destination port", `${ADDRESSES4}1 0`, "8", "port"),
  v1("a port of two zeroes", `${ADDRESSES4}0`, "0 2\r\n", "port"),
  v1("a port of 7 digits that is 80", `${ADDRESSES4}0`, "000080 2\r\n", "port"),
  v1("a source port of 65536", `${ADDRESSES4}6553`, "6 2222\r\n", "port"),
  v1("a destination port of 65536", `${ADDRESSES4}1 6553`, "6\r\n", "port"),
  v1("a port of 6 digits", `${ADDRESSES4}10000`, "0 2\r\n", "port"),
  v1("a negative port", ADDRESSES4, "-1 2\r\n", "port"),
  v1("a port in hex", `${ADDRESSES4}1`, "f 2\r\n", "port"),
  v1("a NUL behind a port", `${ADDRESSES4}1 2`, "\0\r\n", "port"),
  v1("a tab between the ports", `${ADDRESSES4}1`, "\t2\r\n", "port"),
  v1("a space before CRLF", `${ADDRESSES4}1111 2222`, " \r\n", "port"),
  v1("a third port", `${ADDRESSES4}1 2`, " 3\r\n", "port"),
  v1("a line ended by LF", `${ADDRESSES4}1111 2222`, "\nabc", "port"),
  v1("a line ended by CR", `${ADDRESSES4}1111 2222\r`, "abc", "line"),
  v1("a line ended by CR CR LF", `${ADDRESSES4}1111 2222\r`, "\r\n", "line"),
];

/** Source addresses of a TCP6 line, cut where the fault shows. */
const V1_TCP6: readonly Refusal[] = ([
  ["an address of one colon", ":", " :: 1 2\r\n"],
  ["a single colon at the start", ":", "1:2:3:4:5:6:7:8 "],
  ["a single colon at the end", "1:2:3:4:5:6:7:", " "],
  ["a single colon behind `::` groups", "::1:2:", " "],
  ["two `::`", "1::2:", ":3 "],
  ["two `::` at both ends", "::1:", ": "],
  ["`:::`", "::", ": "],
  ["`:::` between groups", "1::", ":2 "],
  ["7 groups", "1:2:3:4:5:6:7", " :: 1 2\r\n"],
  ["one group", "1", " :: 1 2\r\n"],
  ["9 groups", FULL_IPV6, ":9 "],
  ["`::` behind 8 groups", FULL_IPV6, ":: "],
  ["`::` before 8 groups", "::1:2:3:4:5:6:7", ":8 "],
  ["`::` in front of the 8th group", "1:2:3:4:5:6:7::", "8 "],
  ["`::` between 8 groups", "1:2:3:4::5:6:7", ":8 "],
  ["a group of 5 digits", "2001:db8::0000", "1 "],
  ["a group with a letter beyond f", "2001:", "g::1 "],
  ["a letter beyond f behind a digit", "2001:d", "g8::1 "],
  ["two spaces before the source in TCP6", "", "  :: 1 2\r\n"],
  ["a zone id", "fe80::1", "%eth0 "],
  ["a prefix length", "2001:db8::", "/32 "],
  ["brackets", "", "[::1] "],
  ["a NUL in an IPv6 address", "::1", "\0 "],
  ["a tab behind an IPv6 address", "::1", "\t:: "],
  ["a dotted quad behind 7 groups", "1:2:3:4:5:6:7:8", ".9.10.11 "],
  ["a dotted quad behind 5 groups", "1:2:3:4:5:6", ".7.8.9 "],
  ["a dotted quad behind `::` and 6 groups", "::1:2:3:4:5:6:7", ".8.9.10 "],
  ["a group behind a dotted quad", "::1.2.3.4", ":5 "],
  ["`::` behind a dotted quad", "1:2:3:4:5:6:1.2.3.4", ":: "],
  ["a dotted quad of 3 octets", "::1.2.3", " "],
  ["a dotted quad of 5 octets", "::1.2.3.4", ".5 "],
  ["an empty octet in a dotted quad", "::1.2.", ".4 "],
  ["an octet of 256 in a dotted quad", "::1.2.3.25", "6 "],
  ["a leading zero in a dotted quad", "::1.2.3.0", "4 "],
  ["an octet of 7 digits in a dotted quad", "::1.0", "000002.3.4 "],
  ["an IPv4 source in TCP6", "192", ".0.2.1 :: 1 2\r\n"],
  ["no destination in TCP6", "2001:db8::1", "\r\n"],
] as const).map(([name, good, bad]) => v1(name, TCP6 + good, bad, "address"));

const V1_TCP6_MORE: readonly Refusal[] = [
  // Hex digits until the dot shows that they are decimal.
  v1("a first octet of 256", `${TCP6}::256`, ".0.0.1 ", "address", {
    offset: TCP6.length + 4,
  }),
  v1("a leading zero in a first octet", `${TCP6}::01`, ".0.0.1 ", "address", {
    offset: TCP6.length + 3,
  }),
  v1("a first octet in hex", `${TCP6}::1a`, ".0.0.1 ", "address", {
    offset: TCP6.length + 3,
  }),
  v1("an IPv4 destination in TCP6", `${TCP6}:: 198`, ".51.100.1 ", "address"),
  v1(
    "a single colon at the end of a destination",
    `${TCP6}:: 1:2:3:4:5:6:7:`,
    " 1 2\r\n",
    "address",
  ),
  v1("a leading zero in a port of TCP6", `${TCP6}:: :: 0`, "1 2\r\n", "port"),
  // Within the grammar, but no line of both fits into 107 bytes.
  v1(
    "a TCP6 line of dotted quads of over 107 bytes",
    `${TCP6}${"ffff:".repeat(6)}255.255.255.255 ` +
      `${"ffff:".repeat(6)}255.255.255.25`,
    "5 0 0\r\n",
    "line",
    { offset: 102 },
  ),
];

/** The fixed part of a TCP4 header that announces a body. */
const FIXED4 = SIGNATURE_HEX + "2111";

/** A TCP4 header that announces this many bytes behind its block. */
function announce(count: number): string {
  return FIXED4 + (12 + count).toString(16).padStart(4, "0") + BLOCK4;
}

const V2: readonly Refusal[] = [
  ...Array.from({ length: 11 }, (_, index) => {
    const at = index + 1;
    const good = SIGNATURE_HEX.slice(0, 2 * at);
    return v2(
      `a signature with a wrong byte ${at}`,
      good,
      "ff" + `${FIXED4}000c${BLOCK4}`.slice(2 * at + 2),
      "signature",
    );
  }),
  v2("a signature with a wrong byte 0", "", "0a0d0a0d", "signature"),
  v2("an address block of 0 bytes for TCP4", FIXED4 + "00", "00", "length", {
    offset: 14,
  }),
  v2("an address block of 11 bytes for TCP4", FIXED4 + "00", "0b", "length", {
    offset: 14,
  }),
  v2(
    "an address block of 35 bytes for UDP6",
    SIGNATURE_HEX + "212200",
    "23",
    "length",
    { offset: 14 },
  ),
  v2(
    "an address block of 215 bytes for UNIX",
    SIGNATURE_HEX + "213100",
    "d7" + BLOCK_UNIX,
    "length",
    { offset: 14 },
  ),
  v2("a header of 4097 bytes", FIXED4 + "0f", "f1", "length", { offset: 14 }),
  v2("a header of over 4096 bytes by its high byte", FIXED4, "1000", "length"),
  v2("LOCAL over the limit", SIGNATURE_HEX + "2000ff", "ff", "length", {
    offset: 14,
    options: { maxLength: 65550 },
  }),
  v2("a TCP4 header over a limit of 27", SIGNATURE_HEX + "21", "11", "length", {
    offset: 14,
    options: { maxLength: 27 },
  }),
  v2("a TCP4 header over a limit of 28", FIXED4 + "00", "0d", "length", {
    offset: 14,
    options: { maxLength: 28 },
  }),
];

/** What is behind the block of a TCP4 header, cut where the fault shows. */
const V2_TLVS: readonly Refusal[] = [
  v2("2 stray bytes behind a TLV", announce(5) + "0400", "00" + "0000", "tlv", {
    offset: 31,
  }),
  v2(
    "1 stray byte behind a TLV",
    announce(6) + "0400",
    "02" + "000000",
    "tlv",
    {
      offset: 33,
    },
  ),
  v2(
    "a TLV that overruns the header",
    announce(6) + "e000",
    "20616263",
    "tlv",
    {
      offset: 28,
    },
  ),
  v2("a TLV one byte too long", announce(4) + "e000", "0261", "tlv", {
    offset: 28,
  }),
  v2(
    "a second TLV that overruns the header",
    announce(10) + tlv("01", "6832") + "0200",
    "034142",
    "tlv",
    { offset: 33 },
  ),
  v2("a UNIQUE_ID of 129 bytes", announce(132) + "0500", "81", "tlv", {
    offset: 28,
  }),
  ...[0, 3, 5].map((length) =>
    v2(
      `a CRC32C of ${length} bytes`,
      announce(20) + "0300",
      `0${length}`,
      "tlv",
      { offset: 28 },
    )
  ),
  ...[0, 1, 2, 3, 4].map((length) =>
    v2(
      `an SSL of ${length} bytes`,
      announce(20) + "2000",
      `0${length}`,
      "tlv",
      {
        offset: 28,
      },
    )
  ),
  v2("an SSL with 1 stray byte", announce(20) + "2000", "06" + "00", "tlv", {
    offset: 36,
  }),
  v2("an SSL with 2 stray bytes", announce(20) + "2000", "07" + "00", "tlv", {
    offset: 36,
  }),
  v2(
    "a sub-TLV that overruns its SSL",
    // The TLV behind it has room for it.
    announce(21) + "20000a" + "0100000001" + "2100",
    "036162" + tlv("e0", "00".repeat(5)),
    "tlv",
    { offset: 36 },
  ),
  v2(
    "stray bytes behind a sub-TLV",
    announce(13) + "20000a" + "0100000001" + "2100",
    "00" + "0000",
    "tlv",
    { offset: 39 },
  ),
  v2(
    "a wrong CRC32C",
    announce(7) + "030004" + "737ee9",
    "18",
    "checksum",
    { offset: 31 },
  ),
  v2(
    "a CRC32C of zero",
    announce(7) + "030004" + "000000",
    "00",
    "checksum",
    { offset: 31 },
  ),
  v2(
    "a right CRC32C before a wrong one",
    announce(14) + "030004cb59979c" + "030004111111",
    "11",
    "checksum",
    { offset: 38 },
  ),
  v2(
    "a wrong CRC32C on LOCAL",
    SIGNATURE_HEX + "20000007" + "030004a9b87e",
    "8e",
    "checksum",
    { offset: 19 },
  ),
  v2(
    "a wrong CRC32C behind addresses without a transport",
    SIGNATURE_HEX + "213000df" + BLOCK_UNIX + "0300043ec989",
    "4f",
    "checksum",
    { offset: 16 + 216 + 3 },
  ),
  v2(
    "a stray byte behind addresses without a transport",
    SIGNATURE_HEX + "211000",
    "0d" + BLOCK4 + "ff",
    "tlv",
    { offset: 28 },
  ),
  v2(
    "a wrong CRC32C on PROXY with UNSPEC",
    SIGNATURE_HEX + "21000007" + "0300043ec989",
    "4f",
    "checksum",
    { offset: 19 },
  ),
  v2(
    "a wrong CRC32C on LOCAL beside a UNIQUE_ID that does not fit its type",
    SIGNATURE_HEX + "2000008b" + tlv("05", "00".repeat(129)) + "030004000000",
    "00",
    "checksum",
    { offset: 16 + 132 + 3 },
  ),
  // What is left of the header rules these out before their length is in.
  v2("a CRC32C with 5 bytes left", announce(5), "03" + "00020000", "tlv", {
    offset: 28,
  }),
  v2("a CRC32C with 8 bytes left", announce(8), "03" + "0004", "tlv", {
    offset: 28,
  }),
  v2("an SSL with 7 bytes left", announce(7), "20" + "0004", "tlv", {
    offset: 28,
  }),
  v2("an SSL with 9 bytes left", announce(9), "20" + "0006", "tlv", {
    offset: 28,
  }),
  v2("an overrun by its high byte", announce(20) + "e0", "01" + "00", "tlv", {
    offset: 28,
  }),
  v2("a UNIQUE_ID by its high byte", announce(600) + "05", "01" + "00", "tlv", {
    offset: 28,
  }),
  v2(
    "a sub-TLV by its high byte",
    announce(20) + "20000b010000000121",
    "01",
    "tlv",
    {
      offset: 36,
    },
  ),
  // No TLV takes 1 or 2 bytes: the announced length says it all.
  v2(
    "an announced length that leaves 1 stray byte",
    FIXED4 + "00",
    "0d",
    "tlv",
    {
      offset: 28,
    },
  ),
  v2(
    "an announced length that leaves 2 stray bytes",
    FIXED4 + "00",
    "0e",
    "tlv",
    {
      offset: 28,
    },
  ),
];

/** What strictness demands of the inputs sent to real receivers. */
const RECEIVED: readonly Refusal[] = ([
  ["v1-tcp6-mixed", "address", 26, 27],
  ["v1-port65536", "port", 38, 39],
  ["v1-port-lead0", "port", 35, 36],
  ["v1-ip-lead0", "address", 16, 17],
  ["v1-ip-256", "address", 21, 22],
  ["v1-2spaces", "address", 11, 12],
  ["v1-lf-only", "port", 43, 44],
  ["v1-trailing-sp", "port", 43, 44],
  ["v1-over107", "line", 106, 106],
  ["v2-tcp4+badcrc", "checksum", 31, 35],
  ["v2-tcp4-short", "length", 14, 16],
  ["v2-tlv-overrun", "tlv", 28, 31],
  ["v2-tlv-trunc", "tlv", 28, 16],
  ["v2-ver1", "version", 12, 13],
  ["v2-cmd2", "command", 12, 13],
  ["v2-fam4", "family", 13, 14],
] as const).map(([name, code, offset, refusedAt]) => ({
  ...receiverCase(name),
  code,
  offset,
  refusedAt,
  version: name.startsWith("v1") ? 1 : 2,
}));

/** What real senders wrote for mixed families, without the switch for it. */
const MIXED: readonly Refusal[] = MIXED_LINES.map(({ name, bytes }) => {
  const dot = bytes.indexOf(0x2e);
  return {
    name: `${name} without mixedTcp6`,
    bytes,
    code: "address",
    offset: dot,
    refusedAt: dot + 1,
    version: 1,
  };
});

/** All of them. */
export const REFUSED: readonly Refusal[] = [
  ...V1_STARTS,
  ...V1_UNKNOWN,
  ...V1_TCP4,
  ...V1_PORTS,
  ...V1_TCP6,
  ...V1_TCP6_MORE,
  ...V2,
  ...V2_TLVS,
  ...RECEIVED,
  {
    ...receiverCase("v1-lower"),
    code: "signature",
    offset: 0,
    refusedAt: 1,
    version: undefined,
  },
  ...MIXED,
];
