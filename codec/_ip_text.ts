/** IPv4 and IPv6 addresses as text. */

import { COLON, DOT, ZERO } from "./_ascii.ts";
import { decodeText } from "./_text.ts";
import type { Block } from "./_block.ts";
import type { Family } from "./types.ts";

/** Text of every octet, alone and behind a dot: half the concatenations, two thirds of the time. */
const OCTETS: readonly string[] = Array.from({ length: 256 }, (_, i) => `${i}`);
const DOTTED: readonly string[] = OCTETS.map((octet) => "." + octet);

/** Longest text of groups. */
const LONGEST_GROUPS = "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff".length;

/** The text of one IPv6 address at a time: to concatenate its groups needs twice as long. */
const text = new Uint8Array(LONGEST_GROUPS);

/** ASCII of each digit. */
const DIGITS = Uint8Array.from(
  "0123456789abcdef",
  (digit) => digit.charCodeAt(0),
);

/** Dotted text of the 4 octets at `at`. */
export function formatIpv4(octets: Uint8Array, at: number): string {
  return "" + OCTETS[octets[at]!] + DOTTED[octets[at + 1]!] +
    DOTTED[octets[at + 2]!] + DOTTED[octets[at + 3]!];
}

/** Writes what {@link formatIpv4} gives; where it ends. */
export function writeIpv4(
  octets: Uint8Array,
  from: number,
  target: Uint8Array,
  at: number,
): number {
  let end = writeDecimal(octets[from]!, target, at);
  for (let i = 1; i < 4; i++) {
    target[end] = DOT;
    end = writeDecimal(octets[from + i]!, target, end + 1);
  }
  return end;
}

/** Writes a number of 16 bits without leading zeroes; where it ends. */
export function writeDecimal(
  number: number,
  target: Uint8Array,
  at: number,
): number {
  let end = at;
  if (number > 9999) target[end++] = ZERO + (number / 10000 | 0);
  if (number > 999) target[end++] = ZERO + (number / 1000 | 0) % 10;
  if (number > 99) target[end++] = ZERO + (number / 100 | 0) % 10;
  if (number > 9) target[end++] = ZERO + (number / 10 | 0) % 10;
  target[end++] = ZERO + number % 10;
  return end;
}

/**
 * Family of two addresses of an INET6 header: INET where unmapping has left no
 * IPv6 address.
 */
export function familyOf(
  source: string,
  destination: string,
  unmap: boolean,
): Family {
  const isInet = unmap && !source.includes(":") && !destination.includes(":");
  return isInet ? "INET" : "INET6";
}

/** Whether the 16 octets at `at` are a mapped IPv4 address, `::ffff:a.b.c.d`. */
export function isMapped(octets: Uint8Array, at: number): boolean {
  for (let i = 0; i < 10; i++) if (octets[at + i] !== 0) return false;
  return octets[at + 10] === 0xff && octets[at + 11] === 0xff;
}

/** Writes a group without leading zeroes; where it ends. */
function writeGroup(group: number, at: number): number {
  let end = at;
  if (group > 0xfff) text[end++] = DIGITS[group >> 12]!;
  if (group > 0xff) text[end++] = DIGITS[group >> 8 & 0xf]!;
  if (group > 0xf) text[end++] = DIGITS[group >> 4 & 0xf]!;
  text[end++] = DIGITS[group & 0xf]!;
  return end;
}

/**
 * Returns RFC 5952 text of the 16 octets at `at`: lower case, no leading zeroes, the
 * first longest run of two or more zero groups as `::`. Mapped IPv4 is dotted. With
 * `unmap` only its dotted quad is returned.
 */
export function formatIpv6(
  { bytes, view }: Block,
  at: number,
  unmap: boolean,
): string {
  if (isMapped(bytes, at)) {
    return (unmap ? "" : "::ffff:") + formatIpv4(bytes, at + 12);
  }
  let gapStart = 8;
  let gapLength = 1;
  let run = 0;
  for (let group = 0; group < 8; group++) {
    const isZero = view.getUint16(at + 2 * group) === 0;
    run = isZero ? run + 1 : 0;
    if (run > gapLength) {
      gapLength = run;
      gapStart = group + 1 - run;
    }
  }
  let end = 0;
  for (let group = 0; group < 8; group++) {
    if (group === gapStart) {
      if (group === 0) text[end++] = COLON;
      text[end++] = COLON;
      group += gapLength - 1;
    } else {
      end = writeGroup(view.getUint16(at + 2 * group), end);
      if (group < 7) text[end++] = COLON;
    }
  }
  return decodeText(text, 0, end);
}
