/** Spreads the bits of a number over all 32 (the end of MurmurHash3). */
function mixed(number: number): number {
  let bits = number >>> 0;
  bits = Math.imul(bits ^ bits >>> 16, 0x85ebca6b);
  bits = Math.imul(bits ^ bits >>> 13, 0xc2b2ae35);
  return (bits ^ bits >>> 16) >>> 0;
}

/**
 * Numbers that a seed and an index decide, the same everywhere: Marsaglia's
 * xorshift of 32 bits. One index can be repeated without those before it.
 */
export class Random {
  #state: number;

  constructor(seed: number, index = 0) {
    this.#state = mixed(mixed(seed) + index) || 1;
  }

  #next(): number {
    let state = this.#state;
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return this.#state = state >>> 0;
  }

  /** A whole number from 0 to `limit - 1`. */
  below(limit: number): number {
    return this.#next() % limit;
  }

  /** True once in so many times. */
  oneIn(times: number): boolean {
    return this.below(times) === 0;
  }

  /** One of these. */
  pick<T>(items: readonly T[]): T {
    const item = items[this.below(items.length)];
    if (item === undefined) throw new Error("Nothing to pick from");
    return item;
  }

  /** So many bytes. */
  bytes(length: number): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(length);
    for (let i = 0; i < length; i += 4) {
      const state = this.#next();
      bytes[i] = state;
      bytes[i + 1] = state >> 8;
      bytes[i + 2] = state >> 16;
      bytes[i + 3] = state >> 24;
    }
    return bytes;
  }
}
