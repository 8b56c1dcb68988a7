/** IPv4 and IPv6 addresses as text. */

import type { Family } from "./types.ts";

/** Text of every octet, alone and behind a dot: half the concatenations, two thirds of the time. */
const OCTETS: readonly string[] = Array.from({ length: 256 }, (_, i) => `${i}`);
const DOTTED: readonly string[] = OCTETS.map((octet) => "." + octet);
const HEX: readonly string[] = Array.from(
  { length: 256 },
  (_, i) => i.toString(16),
);
const HEX_PADDED: readonly string[] = HEX.map((hex) => hex.padStart(2, "0"));

/** Dotted text of the 4 octets at `at`. */
export function formatIpv4(octets: ArrayLike<number>, at: number): string {
  const first = OCTETS[octets[at] ?? 0] ?? "";
  return first + DOTTED[octets[at + 1] ?? 0] + DOTTED[octets[at + 2] ?? 0] +
    DOTTED[octets[at + 3] ?? 0];
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
  const isIpv6 = source.includes(":") || destination.includes(":");
  return unmap && !isIpv6 ? "INET" : "INET6";
}

/** Whether the 16 octets at `at` are a mapped IPv4 address, `::ffff:a.b.c.d`. */
export function isMapped(octets: ArrayLike<number>, at: number): boolean {
  for (let i = 0; i < 10; i++) if (octets[at + i] !== 0) return false;
  return octets[at + 10] === 0xff && octets[at + 11] === 0xff;
}

function formatGroup(octets: ArrayLike<number>, at: number): string {
  const high = octets[at] ?? 0;
  const low = octets[at + 1] ?? 0;
  return high === 0 ? `${HEX[low]}` : `${HEX[high]}${HEX_PADDED[low]}`;
}

/**
 * RFC 5952 text of the 16 octets at `at`: lower case, no leading zeroes, the
 * first longest run of two or more zero groups as `::`, mapped IPv4 dotted; with
 * `unmap` only its dotted quad.
 */
export function formatIpv6(
  octets: ArrayLike<number>,
  at: number,
  unmap: boolean,
): string {
  if (isMapped(octets, at)) {
    return (unmap ? "" : "::ffff:") + formatIpv4(octets, at + 12);
  }
  let gapStart = 8;
  let gapLength = 1;
  let run = 0;
  for (let group = 0; group < 8; group++) {
    const isZero = octets[at + 2 * group] === 0 &&
      octets[at + 2 * group + 1] === 0;
    run = isZero ? run + 1 : 0;
    if (run > gapLength) {
      gapLength = run;
      gapStart = group + 1 - run;
    }
  }
  let text = "";
  for (let group = 0; group < 8; group++) {
    if (group === gapStart) {
      text += "::";
      group += gapLength - 1;
    } else {
      if (group > 0 && group !== gapStart + gapLength) text += ":";
      text += formatGroup(octets, at + 2 * group);
    }
  }
  return text;
}
