import { COLON, DOT, NINE, SPACE, ZERO } from "./_ascii.ts";
import { isDecimal } from "./_decimal.ts";
import { type Block, newBlock } from "./_block.ts";
import { LARGEST_OCTET, LARGEST_PORT } from "./_wire.ts";

const NO_DIGIT = 16;

/** Value of each hex digit by its byte. */
const DIGITS = new Uint8Array(256).fill(NO_DIGIT);
for (let digit = 0; digit < 16; digit++) {
  const text = digit.toString(16);
  DIGITS[text.charCodeAt(0)] = digit;
  DIGITS[text.toUpperCase().charCodeAt(0)] = digit;
}

/** Of a dotted quad in an IPv6 address: all of it, or too early. */
export const MIXED_FAULT = "IPv4 address in a TCP6 line";
const QUAD_FAULT = "dotted quad not at the end";

function hexDigit(byte: number | undefined): number {
  return byte === undefined ? NO_DIGIT : DIGITS[byte]!;
}

/**
 * Reads addresses and ports as text, byte by byte and as far as they have arrived:
 * the grammar of section 2.1, each rule once. A method is true when its field
 * and the separator after it are read. Else either `fault` says what is wrong
 * with the byte at `at`, or `missing` is the least number of bytes that must
 * still come to finish the field.
 *
 * One serves all lines, each from `begin` on: to make one takes as long as to
 * read a line.
 */
export class FieldScanner {
  /** The byte to read next. */
  at = 0;
  fault: string | undefined;
  missing = 0;
  /** The address last read: 4 octets, or 16 where `isIpv6`. */
  readonly octets: Block = newBlock(16);
  isIpv6 = false;
  /** The port last read. */
  number = 0;

  begin(at: number): void {
    this.at = at;
    this.fault = undefined;
    this.missing = 0;
  }

  #refuse(at: number, fault: string): false {
    this.at = at;
    this.fault = fault;
    return false;
  }

  #lack(missing: number): false {
    this.missing = missing;
    return false;
  }

  /** Four octets of 0 to 255 without leading zeroes, and a space. */
  ipv4(bytes: Uint8Array): boolean {
    this.isIpv6 = false;
    return this.#dotted(bytes, this.at, 0);
  }

  #dotted(bytes: Uint8Array, start: number, target: number): boolean {
    const { bytes: octets } = this.octets;
    let at = start;
    for (let i = 0; i < 4; i++) {
      const first = at;
      let value = 0;
      let byte = bytes[at];
      while (byte !== undefined && byte >= ZERO && byte <= NINE) {
        value = value * 10 + byte - ZERO;
        byte = bytes[++at];
      }
      if (!isDecimal(value, at - first, LARGEST_OCTET) && at > first) {
        return this.#refuseNumber(bytes, first, LARGEST_OCTET, "octet");
      }
      if (byte === undefined) {
        return this.#lack((3 - i) * 2 + (at > first ? 0 : 1) + 1);
      }
      if (at === first || byte !== (i < 3 ? DOT : SPACE)) {
        return this.#refuse(at, "not an IPv4 address");
      }
      octets[target + i] = value;
      at++;
    }
    this.at = at;
    return true;
  }

  /** At the first digit that makes a number none. */
  #refuseNumber(
    bytes: Uint8Array,
    start: number,
    largest: number,
    name: string,
  ): false {
    let at = start;
    let number = 0;
    do number = number * 10 + bytes[at++]! - ZERO; while (
      isDecimal(number, at - start, largest)
    );
    const fault = number > largest
      ? `${name} over ${largest}`
      : `${name} with a leading zero`;
    return this.#refuse(at - 1, fault);
  }

  /**
   * Groups of 1 to 4 hex digits, at most one `::`, at most a dotted quad at
   * the end, and a space; with `mixed` also a plain IPv4 address.
   */
  ipv6(bytes: Uint8Array, mixed: boolean): boolean {
    const { view } = this.octets;
    let { at } = this;
    this.isIpv6 = true;
    let groups = 0;
    let gap = -1;
    if (bytes[at] === COLON) {
      const second = bytes[++at];
      if (second === undefined) return this.#lack(1 + 1);
      if (second !== COLON) {
        return this.#refuse(at, "single colon at the start");
      }
      at++;
      gap = 0;
    }
    for (;;) {
      const start = at;
      let value = 0;
      let byte = bytes[at];
      for (
        let digit = hexDigit(byte);
        digit < NO_DIGIT;
        digit = hexDigit(byte)
      ) {
        if (at - start === 4) {
          return this.#refuse(at, "more than 4 digits in a group");
        }
        if (gap >= 0 && groups === 7) {
          return this.#refuse(at, "too many groups");
        }
        value = value << 4 | digit;
        byte = bytes[++at];
      }
      const isEmpty = at === start;
      if (byte === undefined) {
        const isEnough = gap >= 0 || (groups === 7 && !isEmpty);
        return this.#lack((isEnough ? 0 : 2) + 1);
      }
      if (byte === DOT && !isEmpty) {
        this.isIpv6 = !(mixed && groups === 0 && gap < 0);
        if (this.isIpv6 && (gap < 0 ? groups !== 6 : groups > 5)) {
          const isPlain = groups === 0 && gap < 0;
          return this.#refuse(at, isPlain ? MIXED_FAULT : QUAD_FAULT);
        }
        if (!this.#dotted(bytes, start, 2 * groups)) return false;
        if (this.isIpv6) this.#fill(groups + 2, gap);
        return true;
      }
      if (isEmpty) {
        if (byte !== SPACE || gap !== groups) {
          return this.#refuse(at, "not an IPv6 address");
        }
      } else {
        view.setUint16(2 * groups++, value);
      }
      if (byte === SPACE) {
        if (gap < 0 && groups < 8) return this.#refuse(at, "too few groups");
        this.at = at + 1;
        this.#fill(groups, gap);
        return true;
      }
      if (byte !== COLON) return this.#refuse(at, "not an IPv6 address");
      if (groups === (gap < 0 ? 8 : 7)) {
        return this.#refuse(at, "too many groups");
      }
      const next = bytes[++at];
      if (next === undefined) return this.#lack(1 + 1);
      if (next === COLON) {
        if (gap >= 0) return this.#refuse(at, "second double colon");
        gap = groups;
        at++;
      }
    }
  }

  /** Moves the groups behind the `::` at `gap` to the end, zeroes between. */
  #fill(groups: number, gap: number): void {
    if (gap < 0) return;
    const { bytes } = this.octets;
    let to = 16;
    for (let from = 2 * groups; from > 2 * gap;) {
      bytes[--to] = bytes[--from]!;
    }
    while (to > 2 * gap) bytes[--to] = 0;
  }

  /** A number of 0 to 65535 without leading zeroes, and `separator`. */
  port(bytes: Uint8Array, separator: number): boolean {
    let { at } = this;
    const start = at;
    let value = 0;
    let byte = bytes[at];
    while (byte !== undefined && byte >= ZERO && byte <= NINE) {
      value = value * 10 + byte - ZERO;
      byte = bytes[++at];
    }
    if (!isDecimal(value, at - start, LARGEST_PORT) && at > start) {
      return this.#refuseNumber(bytes, start, LARGEST_PORT, "port");
    }
    if (byte === undefined) return this.#lack((at > start ? 0 : 1) + 1);
    if (at === start || byte !== separator) {
      return this.#refuse(at, "not a port");
    }
    this.number = value;
    this.at = at + 1;
    return true;
  }
}
