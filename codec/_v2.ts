/** The binary header, version 2 (section 2.2). */

import { checkTlvs } from "./_check_tlvs.ts";
import { collectTlvs } from "./_collect_tlvs.ts";
import { familyOf, formatIpv4, formatIpv6 } from "./_ip_text.ts";
import { decodeText } from "./_text.ts";
import {
  BLOCK_LENGTHS,
  COMMAND_AT,
  EMPTY,
  FAMILIES,
  FAMILY_AT,
  firstBytes,
  FIXED_LENGTH,
  LENGTH_AT,
  LOCAL_BYTE,
  PORTS_LENGTH,
  PROXY_BYTE,
  SIGNATURE,
  TLV_HEADER_LENGTH,
  TRANSPORTS,
  uint16,
  UNIX_PATH_LENGTH,
  VERSION_2,
} from "./_wire.ts";
import { headerChecksum } from "./crc32c.ts";
import { ProxyProtocolError, type ProxyProtocolErrorCode } from "./error.ts";
import type {
  Address,
  DecodeOptions,
  ProxyInfo,
  TlvLocations,
  Tlvs,
} from "./types.ts";

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
  if (bytes.length < FIXED_LENGTH) return length - bytes.length;

  const familyByte = bytes[FAMILY_AT] ?? 0;
  const isProxy = bytes[COMMAND_AT] === PROXY_BYTE;
  const block = BLOCK_LENGTHS[familyByte] ?? 0;
  const isAddressed = isProxy && block > 0;
  // LOCAL may announce a family without its addresses.
  const tlvStart = FIXED_LENGTH + (FIXED_LENGTH + block <= length ? block : 0);
  // Without addresses in front nothing says that the rest is TLVs at all.
  const isStrict = isAddressed && options.tlvs !== "lenient";
  if (bytes.length < length) {
    if (isStrict) checkTlvs(bytes, tlvStart, length);
    return length - bytes.length;
  }

  const raw = firstBytes(bytes, length);
  const tlvs: Tlvs = {};
  const tlv_loc: TlvLocations = {};
  let rest: Uint8Array = EMPTY;
  if (length > tlvStart) {
    rest = raw.subarray(tlvStart);
    const extent = collectTlvs(raw, tlvStart, tlvs, tlv_loc);
    if (isStrict && extent !== "all") checkTlvs(raw, tlvStart, length);
    // What looks like a checksum in the skipped block of LOCAL need not be one.
    const isVerified = options.checksum !== "ignore" &&
      (isAddressed || extent !== "part");
    if (tlvs.CRC32C !== undefined && isVerified) {
      checkChecksum(raw, tlvs.CRC32C, tlvStart + (tlv_loc.CRC32C ?? 0));
    }
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
  const { length } = bytes;
  for (let i = 0; i < SIGNATURE.length && i < length; i++) {
    if (bytes[i] !== SIGNATURE[i]) {
      throw headerError(bytes, i, "signature", "signature does not match");
    }
  }
  if (length <= COMMAND_AT) return limited(bytes, FIXED_LENGTH, maxLength);
  const commandByte = bytes[COMMAND_AT] ?? 0;
  if (commandByte !== PROXY_BYTE && commandByte !== LOCAL_BYTE) {
    throw commandError(bytes, commandByte);
  }
  if (length <= FAMILY_AT) return limited(bytes, FIXED_LENGTH, maxLength);
  const familyByte = bytes[FAMILY_AT] ?? 0;
  const block = BLOCK_LENGTHS[familyByte];
  if (block === undefined) throw familyError(bytes, familyByte);
  const needed = commandByte === PROXY_BYTE ? block : 0;
  let announced = needed;
  if (length > LENGTH_AT + 1) {
    announced = uint16(bytes, LENGTH_AT);
    if (announced < needed) throw blockError(bytes, needed, announced);
  } else if (length > LENGTH_AT) {
    announced = Math.max(needed, (bytes[LENGTH_AT] ?? 0) << 8);
  }
  return limited(bytes, FIXED_LENGTH + announced, maxLength);
}

function limited(bytes: Uint8Array, length: number, maxLength: number): number {
  if (length <= maxLength) return length;
  throw headerError(
    bytes,
    LENGTH_AT,
    "length",
    `header of ${length} bytes is over the limit of ${maxLength}`,
  );
}

function commandError(bytes: Uint8Array, byte: number): ProxyProtocolError {
  return byte >> 4 === VERSION_2
    ? headerError(
      bytes,
      COMMAND_AT,
      "command",
      `undefined command ${byte & 0x0f}`,
    )
    : headerError(bytes, COMMAND_AT, "version", `version ${byte >> 4}`);
}

function familyError(bytes: Uint8Array, byte: number): ProxyProtocolError {
  return FAMILIES[byte >> 4] === undefined
    ? headerError(bytes, FAMILY_AT, "family", `undefined family ${byte >> 4}`)
    : headerError(
      bytes,
      FAMILY_AT,
      "transport",
      `undefined transport ${byte & 0x0f}`,
    );
}

function blockError(
  bytes: Uint8Array,
  needed: number,
  announced: number,
): ProxyProtocolError {
  return headerError(
    bytes,
    LENGTH_AT,
    "length",
    `address block needs ${needed} bytes, received ${announced}`,
  );
}

/** Section 2.2.3. */
function checkChecksum(raw: Uint8Array, received: number, tlv: number): void {
  const field = tlv + TLV_HEADER_LENGTH;
  const computed = headerChecksum(raw, raw.length, field);
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

/** The path ends at its NUL; the leading NUL of an abstract one is part of it. */
function unixPath(bytes: Uint8Array, at: number): string {
  const end = at + UNIX_PATH_LENGTH;
  const nul = bytes.indexOf(0, bytes[at] === 0 ? at + 1 : at);
  const pathEnd = nul < 0 ? end : Math.min(nul, end);
  return pathEnd === at + 1 && bytes[at] === 0
    ? ""
    : decodeText(bytes, at, pathEnd);
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
