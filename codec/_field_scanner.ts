import { LARGEST_PORT } from "./_wire.ts";

const SPACE = 0x20;
const DOT = 0x2e;
const COLON = 0x3a;
const ZERO = 0x30;

/** Value of a hex digit, -1 for any other byte. */
function hexDigit(byte: number | undefined): number {
  if (byte === undefined) return -1;
  if (byte >= ZERO && byte <= 0x39) return byte - ZERO;
  const letter = byte | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x61 + 10 : -1;
}

/**
 * Reads addresses and ports as text, byte by byte and as far as they are in:
 * the grammar of section 2.1, each rule once. A method is true when its field
 * and the separator behind it are read. Else either `fault` says what is wrong
 * with the byte at `at`, or `missing` is the least number of bytes that must
 * still come to finish the field.
 */
export class FieldScanner {
  readonly bytes: Uint8Array;
  /** The byte to read next. */
  at: number;
  fault: string | undefined;
  missing = 0;
  /** The address last read: 4 octets, or 16 where `isIpv6`. */
  readonly octets: Uint8Array = new Uint8Array(16);
  isIpv6 = false;
  /** The port last read. */
  number = 0;

  constructor(bytes: Uint8Array, at: number) {
    this.bytes = bytes;
    this.at = at;
  }

  #refuse(fault: string): false {
    this.fault = fault;
    return false;
  }

  #lack(missing: number): false {
    this.missing = missing;
    return false;
  }

  /** Four octets of 0 to 255 without leading zeroes, and a space. */
  ipv4(): boolean {
    this.isIpv6 = false;
    return this.#dotted(0);
  }

  #dotted(target: number): boolean {
    for (let i = 0; i < 4; i++) {
      const start = this.at;
      let value = 0;
      let byte = this.bytes[this.at];
      while (byte !== undefined && byte >= ZERO && byte <= 0x39) {
        if (this.at > start && value === 0) {
          return this.#refuse("leading zero in an octet");
        }
        value = value * 10 + byte - ZERO;
        if (value > 255) return this.#refuse("octet over 255");
        byte = this.bytes[++this.at];
      }
      const isEmpty = this.at === start;
      if (byte === undefined) {
        return this.#lack((3 - i) * 2 + (isEmpty ? 1 : 0) + 1);
      }
      if (isEmpty || byte !== (i < 3 ? DOT : SPACE)) {
        return this.#refuse("not an IPv4 address");
      }
      this.octets[target + i] = value;
      this.at++;
    }
    return true;
  }

  /**
   * Groups of 1 to 4 hex digits, at most one `::`, at most a dotted quad at
   * the end, and a space; with `mixed` also a plain IPv4 address.
   */
  ipv6(mixed: boolean): boolean {
    const { bytes, octets } = this;
    this.isIpv6 = true;
    let groups = 0;
    let gap = -1;
    if (bytes[this.at] === COLON) {
      const second = bytes[++this.at];
      if (second === undefined) return this.#lack(1 + 1);
      if (second !== COLON) return this.#refuse("single colon at the start");
      this.at++;
      gap = 0;
    }
    for (;;) {
      const start = this.at;
      let value = 0;
      let byte = bytes[this.at];
      for (let digit = hexDigit(byte); digit >= 0; digit = hexDigit(byte)) {
        if (this.at - start === 4) {
          return this.#refuse("more than 4 digits in a group");
        }
        if (gap >= 0 && groups === 7) return this.#refuse("too many groups");
        value = value * 16 + digit;
        byte = bytes[++this.at];
      }
      const isEmpty = this.at === start;
      if (byte === undefined) {
        const isEnough = gap >= 0 || (groups === 7 && !isEmpty);
        return this.#lack((isEnough ? 0 : 2) + 1);
      }
      if (byte === DOT && !isEmpty) {
        this.isIpv6 = !(mixed && groups === 0 && gap < 0);
        if (this.isIpv6 && (gap < 0 ? groups !== 6 : groups > 5)) {
          return this.#refuse("dotted quad not at the end");
        }
        this.at = start;
        if (!this.#dotted(2 * groups)) return false;
        if (this.isIpv6) this.#fill(groups + 2, gap);
        return true;
      }
      if (isEmpty) {
        if (byte !== SPACE || gap !== groups) {
          return this.#refuse("not an IPv6 address");
        }
      } else {
        octets[2 * groups] = value >> 8;
        octets[2 * groups + 1] = value & 0xff;
        groups++;
      }
      if (byte === SPACE) {
        if (gap < 0 && groups < 8) return this.#refuse("too few groups");
        this.at++;
        this.#fill(groups, gap);
        return true;
      }
      if (byte !== COLON) return this.#refuse("not an IPv6 address");
      if (groups === (gap < 0 ? 8 : 7)) return this.#refuse("too many groups");
      const next = bytes[++this.at];
      if (next === undefined) return this.#lack(1 + 1);
      if (next === COLON) {
        if (gap >= 0) return this.#refuse("second double colon");
        gap = groups;
        this.at++;
      }
    }
  }

  /** Moves the groups behind the `::` at `gap` to the end, zeroes between. */
  #fill(groups: number, gap: number): void {
    if (gap < 0) return;
    const moved = 2 * (groups - gap);
    this.octets.copyWithin(16 - moved, 2 * gap, 2 * groups);
    this.octets.fill(0, 2 * gap, 16 - moved);
  }

  /** A number of 0 to 65535 without leading zeroes, and `separator`. */
  port(separator: number): boolean {
    const start = this.at;
    let value = 0;
    let byte = this.bytes[this.at];
    while (byte !== undefined && byte >= ZERO && byte <= 0x39) {
      if (this.at > start && value === 0) {
        return this.#refuse("leading zero in a port");
      }
      value = value * 10 + byte - ZERO;
      if (value > LARGEST_PORT) return this.#refuse("port over 65535");
      byte = this.bytes[++this.at];
    }
    const isEmpty = this.at === start;
    if (byte === undefined) return this.#lack((isEmpty ? 1 : 0) + 1);
    if (isEmpty || byte !== separator) return this.#refuse("not a port");
    this.number = value;
    this.at++;
    return true;
  }
}
