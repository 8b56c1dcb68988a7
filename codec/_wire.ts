/** Numbers of the wire format, each once; sections of the specification. */

import type { Command, Family, Transport } from "./types.ts";

/** The 12 bytes that begin a v2 header (section 2.2). */
export const SIGNATURE: readonly number[] = [
  ...[0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a],
  ...[0x51, 0x55, 0x49, 0x54, 0x0a],
];

/** What begins a v1 header (section 2.1). */
export const LINE_SIGNATURE = "PROXY ";

/** Version nibble of a v2 header (section 2.2). */
export const VERSION_2 = 2;

/** Signature, version and command, family and transport, length (section 2.2). */
export const FIXED_LENGTH = 16;

/** Offsets in the fixed part: command, family, length (section 2.2). */
export const COMMAND_AT = 12;
export const FAMILY_AT = 13;
export const LENGTH_AT = 14;

/** Largest v2 header: the length field has 16 bits (section 2.2). */
export const LONGEST_HEADER: number = FIXED_LENGTH + 0xffff;

/** Longest v1 line, CRLF included (section 2.1). */
export const LONGEST_LINE = 107;

/** What ends a v1 line (section 2.1). */
export const CRLF_LENGTH: number = "\r\n".length;

/** Shortest v1 line (section 2.1). */
export const SHORTEST_LINE: number = "PROXY UNKNOWN\r\n".length;

/** Limit of `maxLength` where the caller sets none. */
export const DEFAULT_MAX_LENGTH = 4096;

/** Commands by nibble (section 2.2). */
export const COMMANDS: readonly Command[] = ["LOCAL", "PROXY"];

/** Version and command, byte 13 (section 2.2). */
export const LOCAL_BYTE: number = VERSION_2 << 4 | COMMANDS.indexOf("LOCAL");
export const PROXY_BYTE: number = VERSION_2 << 4 | COMMANDS.indexOf("PROXY");

/** Families by nibble (section 2.2). */
export const FAMILIES: readonly Family[] = ["UNSPEC", "INET", "INET6", "UNIX"];

/** Transports by nibble (section 2.2). */
export const TRANSPORTS: readonly Transport[] = ["UNSPEC", "STREAM", "DGRAM"];

/** A UNIX address in an address block, in bytes (section 2.2). */
export const UNIX_PATH_LENGTH = 108;

/** Longest v2 header without TLVs, in bytes. */
export const LONGEST_ADDRESSED: number = FIXED_LENGTH + 2 * UNIX_PATH_LENGTH;

/** Both ports at the end of an INET or INET6 address block, in bytes (section 2.2). */
export const PORTS_LENGTH: number = 2 * 2;

/** Address block of each family nibble, in bytes (section 2.2). */
const FAMILY_LENGTHS: readonly number[] = [
  0,
  2 * 4 + PORTS_LENGTH,
  2 * 16 + PORTS_LENGTH,
  2 * UNIX_PATH_LENGTH,
];

/** In place of the length of an address block whose family byte means nothing. */
export const UNDEFINED_BLOCK = 0xff;

/** Address block of each family and transport byte, in bytes: it follows the family alone (section 2.2). */
export const BLOCK_LENGTHS: Uint8Array = Uint8Array.from(
  { length: 256 },
  (_, byte) => {
    const isDefined = TRANSPORTS[byte & 0x0f] !== undefined;
    return (isDefined ? FAMILY_LENGTHS[byte >> 4] : undefined) ??
      UNDEFINED_BLOCK;
  },
);

/** Family byte of TCP over IPv6 (section 2.2). */
export const INET6_STREAM: number = FAMILIES.indexOf("INET6") << 4 |
  TRANSPORTS.indexOf("STREAM");

/** Transport nibble of a family byte without one, whose addresses are to be ignored (section 2.2). */
export const UNSPEC_TRANSPORT: number = TRANSPORTS.indexOf("UNSPEC");

/** Type and length of a TLV, in bytes (section 2.2). */
export const TLV_HEADER_LENGTH = 3;

/** Largest value of a TLV, in bytes (section 2.2). */
export const LONGEST_TLV_VALUE = 0xffff;

/** Value of a CRC32C TLV, in bytes (section 2.2.3). */
export const CHECKSUM_LENGTH = 4;

/** Longest UNIQUE_ID, in bytes (section 2.2.5). */
export const LONGEST_UNIQUE_ID = 128;

/** The client bits and the verify number before the sub-TLVs of SSL, in bytes (section 2.2.6). */
export const SSL_FIXED_LENGTH = 5;

/** Largest octet of an IPv4 address (section 2.1). */
export const LARGEST_OCTET = 0xff;

/** Largest port (section 2.1). */
export const LARGEST_PORT = 0xffff;

/** No bytes. */
export const EMPTY: Uint8Array<ArrayBuffer> = new Uint8Array(0);

/** The first `length` bytes, without a new view where that is all of them. */
export function firstBytes(bytes: Uint8Array, length: number): Uint8Array {
  return length === bytes.length ? bytes : bytes.subarray(0, length);
}
