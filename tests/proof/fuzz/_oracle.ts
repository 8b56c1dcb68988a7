/**
 * A second reader of whole headers, written from the specification and from
 * what the options promise. It shares nothing with the codec and works another
 * way: a regular expression for v1, URL's parser for IPv6, a list of TLVs, a
 * checksum bit by bit.
 *
 * @module
 */

import type { DecodeOptions } from "../../../codec/mod.ts";

/** What a header that is to be accepted says. */
export interface Expected {
  /** Length of the header, in bytes. */
  length: number;
  version: 1 | 2;
  command: string;
  family: string;
  transport: string;
  /** Address and port, or the bytes of a path in hex; absent where there is none to tell. */
  source?: string;
  destination?: string;
  /** Whether there is no other way to write it, so that it is encoded to itself. */
  isCanonical: boolean;
}

/** What is to be accepted at the start of bytes, if anything. */
export function expect(
  bytes: Uint8Array,
  options: DecodeOptions,
): Expected | undefined {
  const { versions = [1, 2] } = options;
  if (bytes[0] === 0x50) {
    return versions.includes(1) ? expectLine(bytes, options) : undefined;
  }
  return versions.includes(2) ? expectBinary(bytes, options) : undefined;
}

const OCTET = "(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)";
const IPV4 = `${OCTET}(?:\\.${OCTET}){3}`;
const PORT =
  "(?:6553[0-5]|655[0-2]\\d|65[0-4]\\d\\d|6[0-4]\\d{3}|[1-5]\\d{4}|[1-9]\\d{0,3}|0)";
const IPV4_REGEXP = new RegExp(`^${IPV4}$`);
/** Section 2.1; whether a word of a TCP6 line is an address is seen to later. */
const LINE_REGEXP = new RegExp(
  `^PROXY (?:UNKNOWN(?<rest> [^]*?)?` +
    `|TCP4 (?<from4>${IPV4}) (?<to4>${IPV4}) (?<ports4>${PORT} ${PORT})` +
    `|TCP6 (?<from6>[\\da-fA-F:.]+) (?<to6>[\\da-fA-F:.]+) (?<ports6>${PORT} ${PORT})` +
    ")\r\n",
);

function expectLine(
  bytes: Uint8Array,
  { maxLength = 4096, mixedTcp6, unmap = false }: DecodeOptions,
): Expected | undefined {
  const line = bytes.subarray(0, Math.min(107, maxLength));
  const match = LINE_REGEXP.exec(String.fromCharCode(...line));
  if (match === null) return undefined;
  const { rest, from4, to4, ports4, from6, to6, ports6 } = match.groups ?? {};
  const head = {
    version: 1,
    command: "PROXY",
    length: match[0].length,
  } as const;
  if (from4 !== undefined && to4 !== undefined && ports4 !== undefined) {
    const [from, to] = ports4.split(" ");
    return {
      ...head,
      family: "INET",
      transport: "STREAM",
      source: `${from4} ${from}`,
      destination: `${to4} ${to}`,
      isCanonical: true,
    };
  }
  if (from6 === undefined || to6 === undefined || ports6 === undefined) {
    const isCanonical = rest === undefined;
    return { ...head, family: "UNSPEC", transport: "UNSPEC", isCanonical };
  }
  const source = ipv6(from6, mixedTcp6, unmap);
  const destination = ipv6(to6, mixedTcp6, unmap);
  if (source === undefined || destination === undefined) return undefined;
  const [from, to] = ports6.split(" ");
  return {
    ...head,
    family: familyOf(source, destination, unmap),
    transport: "STREAM",
    source: `${source} ${from}`,
    destination: `${destination} ${to}`,
    isCanonical: !unmap && source === from6 && destination === to6 &&
      source.includes(":") && destination.includes(":"),
  };
}

/** RFC 5952 text of an IPv6 address; mapped IPv4 dotted, bare with `unmap`. */
function ipv6(
  text: string,
  isIpv4Fine: boolean | undefined,
  unmap: boolean,
): string | undefined {
  if (!text.includes(":")) {
    return isIpv4Fine && IPV4_REGEXP.test(text) ? text : undefined;
  }
  const url = URL.parse(`http://[${text}]/`);
  // It reads more than the grammar of a dotted quad.
  const quad = /[^:]*\.[^:]*$/.exec(text)?.[0];
  if (url === null || (quad !== undefined && !IPV4_REGEXP.test(quad))) {
    return undefined;
  }
  const canonical = url.hostname.slice(1, -1);
  const groups = /^::ffff:(\w+):(\w+)$/.exec(canonical);
  if (groups === null) return canonical;
  const [high, low] = [Number(`0x${groups[1]}`), Number(`0x${groups[2]}`)];
  const dotted = [high >> 8, high & 255, low >> 8, low & 255].join(".");
  return unmap ? dotted : `::ffff:${dotted}`;
}

function familyOf(source: string, destination: string, unmap: boolean): string {
  const isIpv4 = !source.includes(":") && !destination.includes(":");
  return unmap && isIpv4 ? "INET" : "INET6";
}

const SIGNATURE = "\r\n\r\n\0\r\nQUIT\n";
const FAMILIES = ["UNSPEC", "INET", "INET6", "UNIX"];
const TRANSPORTS = ["UNSPEC", "STREAM", "DGRAM"];
const BLOCKS = [0, 12, 36, 216];

function expectBinary(
  bytes: Uint8Array,
  options: DecodeOptions,
): Expected | undefined {
  if (bytes.length < 16) return undefined;
  if (String.fromCharCode(...bytes.subarray(0, 12)) !== SIGNATURE) {
    return undefined;
  }
  const [commandByte = 0, familyByte = 0, high = 0, low = 0] = bytes.subarray(
    12,
  );
  const length = 16 + high * 256 + low;
  const { maxLength = 4096, unmap = false } = options;
  if (length > maxLength || length > bytes.length) return undefined;
  if (commandByte !== 0x20 && commandByte !== 0x21) return undefined;
  const told = FAMILIES[familyByte >> 4];
  const transport = TRANSPORTS[familyByte & 15];
  const isLocal = commandByte === 0x20;
  const isDefined = told !== undefined && transport !== undefined;
  if (!isDefined && !isLocal) return undefined;
  const block = BLOCKS[familyByte >> 4] ?? 0;
  const hasAddresses = !isLocal && block > 0 && transport !== "UNSPEC";
  const isCut = length < 16 + block;
  if (hasAddresses && isCut) return undefined;

  // A block that is cut or unknown is all there is; LOCAL may leave it out.
  const isSkipped = isLocal ? !isDefined : isCut;
  const start = isSkipped ? length : isCut ? 16 : 16 + block;
  const list = listOf(bytes, start, length);
  const isStrictlyGood = list.isWhole && list.tlvs.every(isGood);
  const isAnchored = !isLocal && block > 0;
  if (isAnchored && options.tlvs !== "lenient" && !isStrictlyGood) {
    return undefined;
  }
  const checksums = list.tlvs.filter(({ type, value }) =>
    type === 0x03 && value.length === 4
  );
  // Without a block anything may follow, so only whole TLVs are TLVs there.
  const last = isAnchored || list.isWhole ? checksums.at(-1) : undefined;
  const isRight = last === undefined ||
    isChecksum(bytes.subarray(0, length), last.at + 3);
  if (options.checksum !== "ignore" && !isRight) return undefined;

  // What the defaults accept of PROXY comes back byte by byte.
  const isPlain = isRight && !unmap && (isStrictlyGood || !isAnchored);
  if (!hasAddresses || !isDefined) {
    return {
      length,
      version: 2,
      command: isLocal ? "LOCAL" : "PROXY",
      family: isLocal || !isDefined ? "UNSPEC" : told,
      transport: isLocal || !isDefined ? "UNSPEC" : transport,
      // LOCAL is written without a block and with one checksum.
      isCanonical: isLocal
        ? isStrictlyGood && isRight && familyByte === 0 && checksums.length < 2
        : isPlain,
    };
  }
  const head = { length, version: 2, command: "PROXY", transport } as const;
  if (told === "UNIX") {
    const from = bytes.subarray(16, 124);
    const to = bytes.subarray(124, 232);
    return {
      ...head,
      family: told,
      source: pathOf(from).toHex(),
      destination: pathOf(to).toHex(),
      isCanonical: isPlain,
    };
  }
  const octets = (block - 4) / 2;
  const source = hostOf(bytes.subarray(16, 16 + octets), unmap);
  const destination = hostOf(
    bytes.subarray(16 + octets, 16 + 2 * octets),
    unmap,
  );
  const [a = 0, b = 0, c = 0, d = 0] = bytes.subarray(16 + block - 4);
  return {
    ...head,
    family: told === "INET" ? told : familyOf(source, destination, unmap),
    source: `${source} ${a * 256 + b}`,
    destination: `${destination} ${c * 256 + d}`,
    isCanonical: isPlain,
  };
}

function hostOf(octets: Uint8Array, unmap: boolean): string {
  if (octets.length === 4) return octets.join(".");
  const text = octets.toHex().replace(/....(?=.)/g, "$&:");
  return ipv6(text, false, unmap) ?? "";
}

/** A path ends at its NUL; the one in front of an abstract path is part of it. */
function pathOf(field: Uint8Array): Uint8Array {
  const end = field.indexOf(0, 1);
  const path = end < 0 ? field : field.subarray(0, end);
  return path.every((byte) => byte === 0) ? new Uint8Array() : path;
}

interface Tlv {
  type: number;
  /** From the start of the header. */
  at: number;
  value: Uint8Array;
}

/** TLVs up to one that does not fit. */
function listOf(
  bytes: Uint8Array,
  start: number,
  end: number,
): { tlvs: Tlv[]; isWhole: boolean } {
  const tlvs: Tlv[] = [];
  let at = start;
  while (end - at >= 3) {
    const [type = 0, high = 0, low = 0] = bytes.subarray(at, at + 3);
    const next = at + 3 + high * 256 + low;
    if (next > end) break;
    tlvs.push({ type, at, value: bytes.subarray(at + 3, next) });
    at = next;
  }
  return { tlvs, isWhole: at === end };
}

function subTlvsOf({ value }: Tlv): { tlvs: Tlv[]; isWhole: boolean } {
  return listOf(value, 5, value.length);
}

/** Sections 2.2.3, 2.2.5 and 2.2.6. */
function isGood(tlv: Tlv): boolean {
  const { type, value: { length } } = tlv;
  if (type === 0x03) return length === 4;
  if (type === 0x05) return length <= 128;
  return type !== 0x20 || (length >= 5 && subTlvsOf(tlv).isWhole);
}

/** Section 2.2.3, by the polynomial of RFC 4960. */
function isChecksum(header: Uint8Array, field: number): boolean {
  let crc = 0xffffffff;
  header.forEach((byte, at) => {
    crc ^= at >= field && at < field + 4 ? 0 : byte;
    for (let bit = 0; bit < 8; bit++) {
      crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
    }
  });
  const [a = 0, b = 0, c = 0, d = 0] = header.subarray(field, field + 4);
  return ~crc === (a << 24 | b << 16 | c << 8 | d);
}
