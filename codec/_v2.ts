/** The binary header, version 2 (section 2.2). */

import { checkTlvs } from "./_check_tlvs.ts";
import { type CollectedTlvs, collectTlvs } from "./_collect_tlvs.ts";
import { familyOf, formatIpv4, formatIpv6 } from "./_ip_text.ts";
import { decodeText } from "./_text.ts";
import {
  blockLength,
  COMMANDS,
  EMPTY,
  FAMILIES,
  firstBytes,
  FIXED_LENGTH,
  PORTS_LENGTH,
  SIGNATURE,
  TLV_HEADER_LENGTH,
  TRANSPORTS,
  UNIX_PATH_LENGTH,
  VERSION_2,
} from "./_wire.ts";
import { headerChecksum } from "./crc32c.ts";
import { ProxyProtocolError, type ProxyProtocolErrorCode } from "./error.ts";
import type { Address, DecodeOptions, ProxyInfo } from "./types.ts";

/** Offsets in the fixed part (section 2.2). */
const COMMAND_AT = 12;
const FAMILY_AT = 13;
const LENGTH_AT = 14;

/**
 * Reads a header. A number is how many bytes must at least still come; the
 * header cannot be valid with fewer.
 */
export function scanV2(
  bytes: Uint8Array,
  options: DecodeOptions,
  maxLength: number,
): ProxyInfo | number {
  const length = leastLength(bytes, maxLength);
  const commandByte = bytes[COMMAND_AT];
  const familyByte = bytes[FAMILY_AT];
  if (
    commandByte === undefined || familyByte === undefined ||
    bytes.length < FIXED_LENGTH
  ) return length - bytes.length;

  const isProxy = COMMANDS[commandByte & 0x0f] === "PROXY";
  const block = blockLength(familyByte);
  const isAddressed = isProxy && block > 0;
  // LOCAL may announce a family without its addresses.
  const tlvStart = FIXED_LENGTH + (FIXED_LENGTH + block <= length ? block : 0);
  const view = length > tlvStart
    ? new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    : undefined;
  // Without addresses in front nothing says that the rest is TLVs at all.
  const isStrict = isAddressed && options.tlvs !== "lenient";
  if (view !== undefined && isStrict) checkTlvs(view, tlvStart, length);
  if (bytes.length < length) return length - bytes.length;

  const raw = firstBytes(bytes, length);
  const rest = view === undefined ? EMPTY : raw.subarray(tlvStart);
  const { tlvs, tlv_loc, isWhole }: CollectedTlvs = view === undefined
    ? { tlvs: {}, tlv_loc: {}, isWhole: true }
    : collectTlvs(raw, view, tlvStart, length);
  // What looks like a checksum in the skipped block of LOCAL need not be one.
  const isVerified = options.checksum !== "ignore" && (isAddressed || isWhole);
  if (tlvs.CRC32C !== undefined && isVerified) {
    checkChecksum(raw, tlvs.CRC32C, tlvStart + (tlv_loc.CRC32C ?? 0));
  }
  if (!isAddressed) {
    return {
      version: 2,
      command: isProxy ? "PROXY" : "LOCAL",
      // The family of LOCAL is to be ignored.
      family: isProxy ? FAMILIES[familyByte >> 4] ?? "UNSPEC" : "UNSPEC",
      transport: isProxy ? TRANSPORTS[familyByte & 0x0f] ?? "UNSPEC" : "UNSPEC",
      tlvs,
      tlv_loc,
      tlvStart,
      rest,
      raw,
    };
  }
  const isDatagram = TRANSPORTS[familyByte & 0x0f] === "DGRAM";
  const unmap = options.unmap === true;
  let family = FAMILIES[familyByte >> 4] ?? "UNSPEC";
  let source: Address;
  let destination: Address;
  if (family === "UNIX") {
    const middle = FIXED_LENGTH + UNIX_PATH_LENGTH;
    const transport = isDatagram ? "unixpacket" : "unix";
    source = { transport, path: unixPath(raw, FIXED_LENGTH) };
    destination = { transport, path: unixPath(raw, middle) };
  } else {
    const isIpv6 = family === "INET6";
    const transport = isDatagram ? "udp" : "tcp";
    const ports = tlvStart - PORTS_LENGTH;
    const middle = (FIXED_LENGTH + ports) / 2;
    const from = isIpv6
      ? formatIpv6(raw, FIXED_LENGTH, unmap)
      : formatIpv4(raw, FIXED_LENGTH);
    const to = isIpv6
      ? formatIpv6(raw, middle, unmap)
      : formatIpv4(raw, middle);
    source = { transport, hostname: from, port: uint16(raw, ports) };
    destination = { transport, hostname: to, port: uint16(raw, ports + 2) };
    if (isIpv6) family = familyOf(from, to, unmap);
  }
  return {
    version: 2,
    command: "PROXY",
    family,
    transport: isDatagram ? "DGRAM" : "STREAM",
    source,
    destination,
    tlvs,
    tlv_loc,
    tlvStart,
    rest,
    raw,
  };
}

/** Checks the fixed part as far as it is in; the header's length, or the least it can be. */
function leastLength(bytes: Uint8Array, maxLength: number): number {
  for (let i = 0; i < SIGNATURE.length && i < bytes.length; i++) {
    if (bytes[i] !== SIGNATURE[i]) {
      throw headerError(bytes, i, "signature", "signature does not match");
    }
  }
  const commandByte = bytes[COMMAND_AT];
  const familyByte = bytes[FAMILY_AT];
  if (commandByte !== undefined) checkCommand(bytes, commandByte);
  let least = FIXED_LENGTH;
  if (commandByte !== undefined && familyByte !== undefined) {
    checkFamily(bytes, familyByte);
    if (COMMANDS[commandByte & 0x0f] === "PROXY") {
      least += blockLength(familyByte);
    }
  }
  if (bytes.length > LENGTH_AT + 1) {
    const announced = uint16(bytes, LENGTH_AT);
    if (FIXED_LENGTH + announced < least) {
      const needed = least - FIXED_LENGTH;
      throw headerError(
        bytes,
        LENGTH_AT,
        "length",
        `address block needs ${needed} bytes, received ${announced}`,
      );
    }
    least = FIXED_LENGTH + announced;
  } else if (bytes.length > LENGTH_AT) {
    least = Math.max(least, FIXED_LENGTH + uint16(bytes, LENGTH_AT));
  }
  if (least > maxLength) {
    throw headerError(
      bytes,
      LENGTH_AT,
      "length",
      `header of ${least} bytes is over the limit of ${maxLength}`,
    );
  }
  return least;
}

function checkCommand(bytes: Uint8Array, byte: number): void {
  if (byte >> 4 !== VERSION_2) {
    throw headerError(bytes, COMMAND_AT, "version", `version ${byte >> 4}`);
  }
  if (COMMANDS[byte & 0x0f] === undefined) {
    throw headerError(
      bytes,
      COMMAND_AT,
      "command",
      `undefined command ${byte & 0x0f}`,
    );
  }
}

function checkFamily(bytes: Uint8Array, byte: number): void {
  if (FAMILIES[byte >> 4] === undefined) {
    throw headerError(
      bytes,
      FAMILY_AT,
      "family",
      `undefined family ${byte >> 4}`,
    );
  }
  if (TRANSPORTS[byte & 0x0f] === undefined) {
    throw headerError(
      bytes,
      FAMILY_AT,
      "transport",
      `undefined transport ${byte & 0x0f}`,
    );
  }
}

/** Section 2.2.3. */
function checkChecksum(raw: Uint8Array, received: number, tlv: number): void {
  const field = tlv + TLV_HEADER_LENGTH;
  const computed = headerChecksum(raw, field);
  if (computed === received) return;
  throw headerError(
    raw,
    field,
    "checksum",
    `CRC32C is ${hex(received)}, expected ${hex(computed)}`,
  );
}

function hex(number: number): string {
  return number.toString(16).padStart(8, "0");
}

/** Network byte order; a DataView for it alone would cost a whole decode. */
function uint16(bytes: Uint8Array, at: number): number {
  return (bytes[at] ?? 0) << 8 | (bytes[at + 1] ?? 0);
}

/** The path ends at its NUL; the leading NUL of an abstract one is part of it. */
function unixPath(bytes: Uint8Array, at: number): string {
  const end = at + UNIX_PATH_LENGTH;
  const nul = bytes.indexOf(0, bytes[at] === 0 ? at + 1 : at);
  const pathEnd = nul < 0 ? end : Math.min(nul, end);
  return pathEnd === at + 1 && bytes[at] === 0
    ? ""
    : decodeText(bytes.subarray(at, pathEnd));
}

function headerError(
  bytes: Uint8Array,
  offset: number,
  code: ProxyProtocolErrorCode,
  what: string,
): ProxyProtocolError {
  const isV2 = offset >= SIGNATURE.length;
  return new ProxyProtocolError(
    `Cannot decode PROXY v2 header: ${what}`,
    code,
    { offset, received: bytes, ...(isV2 && { version: 2 }) },
  );
}
