import { DOT, NINE, SPACE, ZERO } from "./_ascii.ts";
import { FieldScanner } from "./_field_scanner.ts";
import { isAscii, writeLatin1 } from "./_text.ts";
import { LARGEST_OCTET } from "./_wire.ts";

/** Longest IPv6 text, with a dotted quad at the end. */
const LONGEST_TEXT = 45;

/** In place of an octet before its first digit. */
const NO_DIGITS = -1;

/** A text as bytes, and the separator that ends its field. */
const line = new Uint8Array(LONGEST_TEXT + 1);
const fields = new FieldScanner();

/**
 * Reads an IPv4 or IPv6 address by the grammar of a v1 line (section 2.1) into
 * `target` at `at`; how many octets it has, 0 when it is neither.
 */
export function readIp(
  text: string | undefined,
  target: Uint8Array,
  at: number,
): 0 | 4 | 16 {
  if (typeof text !== "string" || text.length > LONGEST_TEXT) return 0;
  return readIpv4(text, target, at) ? 4 : readIpv6(text, target, at) ? 16 : 0;
}

/**
 * Reads an IPv4 address; false if it is none. Straight from the text: byte by byte
 * through the scanner it needs twice as long. The rule of `isDecimal` is applied to
 * each digit, which saves a fifth more.
 */
export function readIpv4(
  text: string,
  target: Uint8Array,
  at: number,
): boolean {
  let high = 0;
  let dots = 0;
  let value = NO_DIGITS;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === DOT) {
      if (value === NO_DIGITS) return false;
      high = high << 8 | value;
      dots++;
      value = NO_DIGITS;
    } else {
      if (code < ZERO || code > NINE || value === 0) return false;
      const digit = code - ZERO;
      value = value === NO_DIGITS ? digit : value * 10 + digit | 0;
      if (value > LARGEST_OCTET) return false;
    }
  }
  if (dots !== 3 || value === NO_DIGITS) return false;
  target[at] = high >> 16;
  target[at + 1] = high >> 8;
  target[at + 2] = high;
  target[at + 3] = value;
  return true;
}

function readIpv6(text: string, target: Uint8Array, at: number): boolean {
  if (!isAscii(text)) return false;
  line[writeLatin1(text, line, 0)] = SPACE;
  fields.begin(0);
  if (!fields.ipv6(line, false) || fields.at !== text.length + 1) return false;
  const { bytes } = fields.octets;
  for (let i = 0; i < 16; i++) target[at + i] = bytes[i]!;
  return true;
}

/** The 4 or 16 octets of an address, `undefined` when it is neither. */
export function parseIp(text: string): Uint8Array | undefined {
  const octets = new Uint8Array(16);
  const length = readIp(text, octets, 0);
  return length === 0 ? undefined : octets.subarray(0, length);
}
