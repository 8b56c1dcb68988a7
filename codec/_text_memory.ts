/**
 * Texts of addresses and TLVs. Recent ones are remembered, because nearly every
 * header has the balancer's own address, clients return, and most TLVs say the
 * same. It costs 65 to 180 ns to make the text of an address, and 10 to find it.
 *
 * Bytes have one place, by their hash. They get it when they arrive twice without
 * other bytes of that place between. So nothing grows, bytes that arrive once
 * replace nothing, and bytes that were chosen to collide are only decoded again.
 * A place holds the bytes themselves: all of them are compared, not their hash.
 */

import type { Block } from "./_block.ts";
import { formatIpv4, formatIpv6 } from "./_ip_text.ts";
import { decodeText } from "./_text.ts";

/** Places of each table. 1024 do not stay in the cache: new addresses are 10 % slower then. */
const PLACES = 256;
const PLACE_SHIFT = 24;

/** Odd numbers that spread the bits of a word. */
const PRIMES = [0x85ebca77, 0x9e3779b1, 0xc2b2ae3d, 0x27d4eb2f] as const;
const [PRIME, PRIME_1, PRIME_2, PRIME_3] = PRIMES;

/** Of each place the words of its bytes, then the hash of the last ones that were not found there. */
const words4 = new Int32Array(PLACES * (1 + 1));
const words6 = new Int32Array(PLACES * (4 + 1));

/** At first each place has the bytes that are zero. */
const texts4: string[] = Array.from({ length: PLACES }, () => "0.0.0.0");
const texts6: string[] = Array.from({ length: PLACES }, () => "::");

/** Returns what `formatIpv4` returns for the 4 octets at `at`. */
export function ipv4Text({ bytes, view }: Block, at: number): string {
  const address = view.getInt32(at);
  const place = Math.imul(address, PRIME) >>> PLACE_SHIFT;
  const word = place * 2;
  if (words4[word] === address) return texts4[place]!;
  const text = formatIpv4(bytes, at);
  if (words4[word + 1] === address) {
    words4[word] = address;
    texts4[place] = text;
  } else {
    words4[word + 1] = address;
  }
  return text;
}

/** Returns what `formatIpv6` returns for the 16 octets at `at`. */
export function ipv6Text(block: Block, at: number, unmap: boolean): string {
  const { view } = block;
  const a = view.getInt32(at);
  const b = view.getInt32(at + 4);
  const c = view.getInt32(at + 8);
  const d = view.getInt32(at + 12);
  if (unmap && a === 0 && b === 0 && c === 0xffff) {
    return ipv4Text(block, at + 12);
  }
  const hash = Math.imul(a, PRIME) ^ Math.imul(b, PRIME_1) ^
    Math.imul(c, PRIME_2) ^ Math.imul(d, PRIME_3);
  const place = hash >>> PLACE_SHIFT;
  const word = place * 5;
  const isHere = words6[word] === a && words6[word + 1] === b &&
    words6[word + 2] === c && words6[word + 3] === d;
  if (isHere) return texts6[place]!;
  const text = formatIpv6(block, at, false);
  if (words6[word + 4] === hash) {
    words6[word] = a;
    words6[word + 1] = b;
    words6[word + 2] = c;
    words6[word + 3] = d;
    texts6[place] = text;
  } else {
    words6[word + 4] = hash;
  }
  return text;
}

/** Longest text of a TLV that is remembered, in bytes: host names and what is shorter. */
const LONGEST = 44;

/** Of each place the length of its bytes, their words, and the hash of the last ones that were not found there. */
const KEY_LENGTH = 1 + LONGEST / 4 + 1;
const keys = new Int32Array(PLACES * KEY_LENGTH);
const texts: string[] = Array.from({ length: PLACES }, () => "");

/**
 * Returns what `decodeText` returns for the value of a TLV, which follows its type
 * and length. On Bun that is a quarter of a decode with TLVs, elsewhere as much as
 * to remember it.
 *
 * Bytes are compared by words, the last of which ends with them: of a value of
 * less than 4 bytes it has some of the length before.
 */
export function tlvText(
  bytes: Uint8Array,
  view: DataView,
  start: number,
  end: number,
): string {
  const length = end - start;
  if (length > LONGEST) return decodeText(bytes, start, end);
  const last = end - 4;
  let hash = length;
  for (let at = start; at < end; at += 4) {
    hash = Math.imul(hash ^ view.getInt32(Math.min(at, last)), PRIME);
  }
  const place = hash >>> PLACE_SHIFT;
  const key = place * KEY_LENGTH;
  if (isAt(key, view, start, end)) return texts[place]!;
  const text = decodeText(bytes, start, end);
  const known = key + KEY_LENGTH - 1;
  if (keys[known] === hash) {
    keys[key] = length;
    for (let at = start, word = key + 1; at < end; at += 4) {
      keys[word++] = view.getInt32(Math.min(at, last));
    }
    texts[place] = text;
  } else {
    keys[known] = hash;
  }
  return text;
}

/** Whether the bytes are those of the place at `key`. */
function isAt(
  key: number,
  view: DataView,
  start: number,
  end: number,
): boolean {
  if (keys[key] !== end - start) return false;
  for (let at = start, word = key + 1; at < end; at += 4) {
    if (keys[word++] !== view.getInt32(Math.min(at, end - 4))) return false;
  }
  return true;
}
