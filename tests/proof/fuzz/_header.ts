/** Headers that are valid, by chance and without the encoder. */

import { crc32c, TLV_TYPES } from "../../../codec/mod.ts";
import { concat } from "../../_bytes.ts";
import { ascii, BLOCK_LENGTHS, hex, SIGNATURE_HEX } from "../../codec/_hex.ts";
import type { Random } from "./_random.ts";

const SIGNATURE = hex(SIGNATURE_HEX);

/** Types of TLVs: the named ones, one of each range besides. */
export const TYPES: readonly number[] = Array.from(
  hex("0102030405 20 2122232425262728 292f 30 00 1f 31 e0 ea ee f0 ff"),
);

/** A v1 line or a v2 header. */
export function validHeader(random: Random): Uint8Array<ArrayBuffer> {
  return random.oneIn(3) ? line(random) : binary(random);
}

function line(random: Random): Uint8Array<ArrayBuffer> {
  const port = () => random.below(random.pick([2, 100, 65536]));
  const ends = (host: (random: Random) => string) =>
    `${host(random)} ${host(random)} ${port()} ${port()}`;
  switch (random.below(5)) {
    case 0:
      return ascii("PROXY UNKNOWN\r\n");
    case 1: {
      const rest = ends(ipv6).slice(random.below(40));
      // Only CRLF ends it.
      const end = random.pick([/(?!)/, / /g, /:/g]);
      return ascii(
        `PROXY UNKNOWN ${rest.replace(end, random.pick(["\r", "\n"]))}\r\n`,
      );
    }
    case 2:
    case 3:
      return ascii(`PROXY TCP4 ${ends(ipv4)}\r\n`);
    default:
      return ascii(`PROXY TCP6 ${ends(ipv6)}\r\n`);
  }
}

function ipv4(random: Random): string {
  const octet = () => random.below(random.pick([2, 256]));
  return [octet(), octet(), octet(), octet()].join(".");
}

/** In any of the ways to write one. */
function ipv6(random: Random): string {
  const group = () => {
    const digits = random.below(random.pick([2, 0x10000])).toString(16);
    const padded = digits.padStart(1 + random.below(4), "0");
    return random.oneIn(4) ? padded.toUpperCase() : padded;
  };
  const groups = (count: number) => Array.from({ length: count }, group);
  const tail = random.oneIn(4) ? [ipv4(random)] : [group(), group()];
  if (random.oneIn(3)) return [...groups(6), ...tail].join(":");
  const before = random.below(6);
  const after = random.below(6 - before);
  if (random.oneIn(8)) return `::ffff:${ipv4(random)}`;
  if (random.oneIn(4)) return `${groups(before).join(":")}::`;
  return `${groups(before).join(":")}::${
    [...groups(after), ...tail].join(":")
  }`;
}

function binary(random: Random): Uint8Array<ArrayBuffer> {
  const commandByte = random.oneIn(6) ? 0x20 : 0x21;
  // The family of LOCAL is ignored, whatever it is.
  const familyByte = commandByte === 0x20 && random.oneIn(4)
    ? random.below(256)
    : random.oneIn(5)
    ? random.pick([0x31, 0x32, 0x00, 0x01, 0x02, 0x10, 0x20, 0x30])
    : random.pick([0x11, 0x12, 0x21, 0x22]);
  const block = blockOf(familyByte, random);
  const body = concat([block, ...tlvs(random, random.below(5))]);
  const fixed = Uint8Array.of(commandByte, familyByte, 0, 0);
  const header = concat([SIGNATURE, fixed, body]);
  setLength(header);
  setChecksum(header);
  return header;
}

/** Where the TLVs begin, of a whole fixed part. */
export function tlv_startOf(header: Uint8Array): number {
  const block = BLOCK_LENGTHS.get(header[13] ?? 0) ?? 0;
  return header.length < 16 + block ? 16 : 16 + block;
}

/** Makes the announced length that of the bytes. */
export function setLength(header: Uint8Array): void {
  header[14] = header.length - 16 >> 8;
  header[15] = header.length - 16 & 0xff;
}

/** Makes the last CRC32C right, where there is one. */
export function setChecksum(header: Uint8Array): void {
  const { buffer, byteOffset, byteLength } = header;
  const view = new DataView(buffer, byteOffset, byteLength);
  let field = 0;
  for (let at = tlv_startOf(header); at + 3 <= header.length;) {
    const length = view.getUint16(at + 1);
    if (header[at] === TLV_TYPES.CRC32C && length === 4) field = at + 3;
    at += 3 + length;
  }
  if (field === 0 || field + 4 > header.length) return;
  header.fill(0, field, field + 4);
  view.setUint32(field, crc32c(header));
}

function blockOf(
  familyByte: number,
  random: Random,
): Uint8Array<ArrayBuffer> {
  const isUnspec = (familyByte & 0x0f) === 0;
  // Without a transport it may be left out, or be cut.
  if (isUnspec && random.oneIn(3)) return random.bytes(random.below(12));
  switch (familyByte) {
    case 0x10:
    case 0x11:
    case 0x12:
      return random.bytes(12);
    case 0x20:
    case 0x21:
    case 0x22: {
      const block = random.bytes(36);
      // Runs of zeroes, and what is mapped.
      if (random.oneIn(2)) block.fill(0, random.below(16), random.below(33));
      if (random.oneIn(6)) block.fill(0, 0, 10).fill(0xff, 10, 12);
      if (random.oneIn(8)) block.fill(0, 16, 26).fill(0xff, 26, 28);
      return block;
    }
    case 0x30:
    case 0x31:
    case 0x32: {
      const block = new Uint8Array(216);
      block.set(path(random));
      block.set(path(random), 108);
      return block;
    }
    default:
      return new Uint8Array();
  }
}

function path(random: Random): Uint8Array {
  const bytes = random.bytes(random.pick([0, 1, 5, 20, 107, 108]))
    .map((byte) => random.oneIn(20) ? byte : 0x61 + byte % 26);
  if (random.oneIn(4)) bytes[0] = 0;
  return bytes;
}

/** So many TLVs; each type may come up more than once. */
function tlvs(random: Random, count: number): Uint8Array<ArrayBuffer>[] {
  return Array.from({ length: count }, () => {
    const type = random.oneIn(8) ? TLV_TYPES.CRC32C : random.pick(TYPES);
    return tlv(type, valueOf(type, random));
  });
}

/** A TLV; its length is that of the value. */
export function tlv(type: number, value: Uint8Array): Uint8Array<ArrayBuffer> {
  const head = Uint8Array.of(type, value.length >> 8, value.length & 0xff);
  return concat([head, value]);
}

/** A value that fits its type. */
export function valueOf(type: number, random: Random): Uint8Array<ArrayBuffer> {
  if (type === 0x03) return random.bytes(4);
  if (type === 0x05) return random.bytes(random.pick([0, 1, 16, 128]));
  if (type !== 0x20) return text(random);
  const subTlvs = Array.from({ length: random.below(4) }, () => {
    const subType = random.oneIn(8)
      ? random.pick(TYPES)
      : 0x21 + random.below(10);
    return tlv(subType, text(random));
  });
  return concat([random.bytes(5), ...subTlvs]);
}

/** Mostly what is text. */
function text(random: Random): Uint8Array<ArrayBuffer> {
  const bytes = random.bytes(random.below(24));
  return random.oneIn(8) ? bytes : bytes.map((byte) => 0x20 + byte % 0x5f);
}
