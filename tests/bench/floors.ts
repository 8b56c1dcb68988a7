/**
 * The least code that gives the same: hand-unrolled, nothing checked beyond
 * signature and length, for v1 a strict scan of the bytes.
 */

const OCTETS = Array.from({ length: 256 }, (_, octet) => `${octet}`);
const HEX = Array.from({ length: 256 }, (_, octet) => octet.toString(16));
const HEX_2 = HEX.map((text) => text.padStart(2, "0"));

/** Two addresses and two ports. */
export interface Ends {
  source: string;
  destination: string;
  sourcePort: number;
  destinationPort: number;
}

function isV2(b: Uint8Array, length: number): boolean {
  return b[0] === 13 && b[1] === 10 && b[2] === 13 && b[3] === 10 &&
    b[4] === 0 && b[5] === 13 && b[6] === 10 && b[7] === 81 && b[8] === 85 &&
    b[9] === 73 && b[10] === 84 && b[11] === 10 && b.length >= length;
}

function ipv4(b: Uint8Array, at: number): string {
  return OCTETS[b[at] ?? 0] + "." + OCTETS[b[at + 1] ?? 0] + "." +
    OCTETS[b[at + 2] ?? 0] + "." + OCTETS[b[at + 3] ?? 0];
}

/** v2 TCP4. */
export function v2Tcp4(b: Uint8Array): Ends | undefined {
  if (!isV2(b, 28)) return undefined;
  return {
    source: ipv4(b, 16),
    destination: ipv4(b, 20),
    sourcePort: (b[24] ?? 0) << 8 | (b[25] ?? 0),
    destinationPort: (b[26] ?? 0) << 8 | (b[27] ?? 0),
  };
}

/** RFC 5952, mapped addresses left out. */
function ipv6(b: Uint8Array, at: number): string {
  let gapStart = 8;
  let gapLength = 1;
  for (let i = 0; i < 8;) {
    let next = i;
    while (next < 8 && b[at + 2 * next] === 0 && b[at + 2 * next + 1] === 0) {
      next++;
    }
    if (next - i > gapLength) {
      gapStart = i;
      gapLength = next - i;
    }
    i = next + 1;
  }
  let text = "";
  for (let i = 0; i < 8; i++) {
    if (i === gapStart) {
      text += "::";
      i += gapLength - 1;
      continue;
    }
    if (i > 0 && i !== gapStart + gapLength) text += ":";
    const high = b[at + 2 * i] ?? 0;
    const low = b[at + 2 * i + 1] ?? 0;
    text += high === 0 ? HEX[low] : `${HEX[high]}${HEX_2[low]}`;
  }
  return text;
}

/** v2 TCP6. */
export function v2Tcp6(b: Uint8Array): Ends | undefined {
  if (!isV2(b, 52)) return undefined;
  return {
    source: ipv6(b, 16),
    destination: ipv6(b, 32),
    sourcePort: (b[48] ?? 0) << 8 | (b[49] ?? 0),
    destinationPort: (b[50] ?? 0) << 8 | (b[51] ?? 0),
  };
}

/** Where the scan of a line is. */
let cursor = 0;
/** The octets of an IPv6 address that a line has spelled. */
const octets = new Uint8Array(16);

/** A decimal number without leading zeroes and `separator`, else -1. */
function decimal(b: Uint8Array, largest: number, separator: number): number {
  const start = cursor;
  let value = 0;
  for (let byte = b[cursor] ?? 0; byte !== separator; byte = b[cursor] ?? 0) {
    if (byte < 48 || byte > 57 || (cursor > start && value === 0)) return -1;
    value = value * 10 + byte - 48;
    if (value > largest) return -1;
    cursor++;
  }
  return cursor++ === start ? -1 : value;
}

function dotted(bytes: Uint8Array): string | undefined {
  const a = decimal(bytes, 255, 46);
  const b = a < 0 ? a : decimal(bytes, 255, 46);
  const c = b < 0 ? b : decimal(bytes, 255, 46);
  const d = c < 0 ? c : decimal(bytes, 255, 32);
  return d < 0
    ? undefined
    : OCTETS[a] + "." + OCTETS[b] + "." + OCTETS[c] + "." + OCTETS[d];
}

/** Groups of 1 to 4 hex digits and at most one `::`, and a space. */
function groups(b: Uint8Array): string | undefined {
  let at = cursor;
  let count = 0;
  let gap = -1;
  if (b[at] === 58) {
    if (b[at + 1] !== 58) return undefined;
    gap = 0;
    at += 2;
  }
  for (;;) {
    const start = at;
    let value = 0;
    for (;;) {
      const byte = b[at] ?? 0;
      const digit = byte >= 48 && byte <= 57
        ? byte - 48
        : byte >= 97 && byte <= 102
        ? byte - 87
        : byte >= 65 && byte <= 70
        ? byte - 55
        : -1;
      if (digit < 0) break;
      value = value << 4 | digit;
      if (++at - start > 4) return undefined;
    }
    if (at > start) {
      if (count === 8) return undefined;
      octets[2 * count] = value >> 8;
      octets[2 * count + 1] = value;
      count++;
    } else if (gap !== count) return undefined;
    const separator = b[at++];
    if (separator === 32) break;
    if (separator !== 58) return undefined;
    if (b[at] === 58) {
      if (gap >= 0) return undefined;
      gap = count;
      at++;
    }
  }
  if (gap < 0 ? count < 8 : count > 7) return undefined;
  if (gap >= 0) {
    const moved = 2 * (count - gap);
    octets.copyWithin(16 - moved, 2 * gap, 2 * count);
    octets.fill(0, 2 * gap, 16 - moved);
  }
  cursor = at;
  return ipv6(octets, 0);
}

function line(
  b: Uint8Array,
  protocol: number,
  address: (b: Uint8Array) => string | undefined,
): Ends | undefined {
  const isLine = b[0] === 80 && b[1] === 82 && b[2] === 79 && b[3] === 88 &&
    b[4] === 89 && b[5] === 32 && b[6] === 84 && b[7] === 67 && b[8] === 80 &&
    b[9] === protocol && b[10] === 32;
  if (!isLine) return undefined;
  cursor = 11;
  const source = address(b);
  if (source === undefined) return undefined;
  const destination = address(b);
  if (destination === undefined) return undefined;
  const sourcePort = decimal(b, 65535, 32);
  const destinationPort = sourcePort < 0 ? -1 : decimal(b, 65535, 13);
  if (destinationPort < 0 || b[cursor] !== 10) return undefined;
  return { source, destination, sourcePort, destinationPort };
}

/** v1 TCP4, strict. */
export function v1Tcp4(b: Uint8Array): Ends | undefined {
  return line(b, 52, dotted);
}

/** v1 TCP6, strict, rewritten as RFC 5952. */
export function v1Tcp6(b: Uint8Array): Ends | undefined {
  return line(b, 54, groups);
}

/** Eight tables of CRC32C, for eight bytes at a time. */
const TABLES = Array.from({ length: 8 }, () => new Uint32Array(256));
for (let byte = 0; byte < 256; byte++) {
  let crc = byte;
  for (let i = 0; i < 8 * TABLES.length; i++) {
    crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
    const table = TABLES[i >> 3];
    if (i % 8 === 7 && table) table[byte] = crc;
  }
}
const [T0, T1, T2, T3, T4, T5, T6, T7] = TABLES as [
  Uint32Array,
  Uint32Array,
  Uint32Array,
  Uint32Array,
  Uint32Array,
  Uint32Array,
  Uint32Array,
  Uint32Array,
];

function slices(crc: number, b: Uint8Array, from: number, to: number): number {
  let i = from;
  for (; i + 8 <= to; i += 8) {
    crc ^= (b[i] ?? 0) | (b[i + 1] ?? 0) << 8 | (b[i + 2] ?? 0) << 16 |
      (b[i + 3] ?? 0) << 24;
    crc = (T7[crc & 255] ?? 0) ^ (T6[crc >>> 8 & 255] ?? 0) ^
      (T5[crc >>> 16 & 255] ?? 0) ^ (T4[crc >>> 24] ?? 0) ^
      (T3[b[i + 4] ?? 0] ?? 0) ^ (T2[b[i + 5] ?? 0] ?? 0) ^
      (T1[b[i + 6] ?? 0] ?? 0) ^ (T0[b[i + 7] ?? 0] ?? 0);
  }
  for (; i < to; i++) {
    crc = (T0[(crc ^ (b[i] ?? 0)) & 255] ?? 0) ^ crc >>> 8;
  }
  return crc;
}

/** CRC32C of `b`, the four bytes at `field` taken as zero. */
function crc32c(b: Uint8Array, field: number): number {
  let crc = slices(~0, b, 0, field);
  for (let i = 0; i < 4; i++) crc = (T0[crc & 255] ?? 0) ^ crc >>> 8;
  return ~slices(crc, b, field + 4, b.length) >>> 0;
}

/** A TLV where it is. */
export interface Tlv {
  type: number;
  offset: number;
  value: Uint8Array;
}

/** v2 TCP4 with TLVs, SSL opened, the checksum verified. */
export function v2Tlvs(b: Uint8Array): { ends: Ends; tlvs: Tlv[] } | undefined {
  const ends = v2Tcp4(b);
  const end = 16 + ((b[14] ?? 0) << 8 | (b[15] ?? 0));
  if (ends === undefined || b.length < end) return undefined;
  const tlvs: Tlv[] = [];
  for (let at = 28; at + 3 <= end;) {
    const type = b[at] ?? 0;
    const next = at + 3 + ((b[at + 1] ?? 0) << 8 | (b[at + 2] ?? 0));
    if (next > end) return undefined;
    tlvs.push({ type, offset: at - 28, value: b.subarray(at + 3, next) });
    if (type === 3) {
      const sum = ((b[at + 3] ?? 0) << 24 | (b[at + 4] ?? 0) << 16 |
        (b[at + 5] ?? 0) << 8 | (b[at + 6] ?? 0)) >>> 0;
      if (sum !== crc32c(b, at + 3)) return undefined;
    }
    at = type === 32 ? at + 8 : next; // sub-TLVs follow the fixed part of SSL
  }
  return { ends, tlvs };
}

const SIGNATURE = [13, 10, 13, 10, 0, 13, 10, 81, 85, 73, 84, 10];

function writeIpv4(text: string, target: Uint8Array, at: number): void {
  let value = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 46) {
      target[at++] = value;
      value = 0;
    } else value = value * 10 + code - 48;
  }
  target[at] = value;
}

/** Writes v2 TCP4. */
export function encodeV2Tcp4(ends: Ends, target: Uint8Array): number {
  for (let i = 0; i < 12; i++) target[i] = SIGNATURE[i] ?? 0;
  target[12] = 0x21;
  target[13] = 0x11;
  target[14] = 0;
  target[15] = 12;
  writeIpv4(ends.source, target, 16);
  writeIpv4(ends.destination, target, 20);
  target[24] = ends.sourcePort >> 8;
  target[25] = ends.sourcePort;
  target[26] = ends.destinationPort >> 8;
  target[27] = ends.destinationPort;
  return 28;
}

/** Writes v1 TCP4. */
export function encodeV1Tcp4(ends: Ends, target: Uint8Array): number {
  const text = "PROXY TCP4 " + ends.source + " " + ends.destination + " " +
    ends.sourcePort + " " + ends.destinationPort + "\r\n";
  for (let i = 0; i < text.length; i++) target[i] = text.charCodeAt(i);
  return text.length;
}

/** TLVs to write: two texts, bytes, and a checksum in the middle. */
export interface Values {
  alpn: string;
  authority: string;
  uniqueId: Uint8Array;
}

function writeText(
  type: number,
  text: string,
  target: Uint8Array,
  at: number,
): number {
  target[at] = type;
  target[at + 1] = text.length >> 8;
  target[at + 2] = text.length;
  for (let i = 0; i < text.length; i++) target[at + 3 + i] = text.charCodeAt(i);
  return at + 3 + text.length;
}

/** Writes v2 TCP4 with ALPN, AUTHORITY, UNIQUE_ID and a checksum. */
export function encodeV2Tlvs(
  ends: Ends,
  { alpn, authority, uniqueId }: Values,
): Uint8Array {
  const length = 28 + 3 + alpn.length + 3 + authority.length + 3 +
    uniqueId.length + 7;
  const target = new Uint8Array(length);
  encodeV2Tcp4(ends, target);
  target[14] = (length - 16) >> 8;
  target[15] = length - 16;
  let at = writeText(1, alpn, target, 28);
  at = writeText(2, authority, target, at);
  target[at] = 5;
  target[at + 2] = uniqueId.length;
  target.set(uniqueId, at + 3);
  at += 3 + uniqueId.length;
  target[at] = 3;
  target[at + 2] = 4;
  const crc = crc32c(target, at + 3);
  target[at + 3] = crc >>> 24;
  target[at + 4] = crc >>> 16;
  target[at + 5] = crc >>> 8;
  target[at + 6] = crc;
  return target;
}
