/** Decimal numbers as text, those of octets and ports (section 2.1). */

/** Least number of so many digits, without leading zeroes; of no digits there is none. */
const LEAST: readonly number[] = [1, 0, 10, 100, 1000, 10000];

/**
 * Whether a number that was read from so many digits is at most `largest`, and
 * had no leading zeroes. So is then every number that its first digits make.
 */
export function isDecimal(
  number: number,
  digits: number,
  largest: number,
): boolean {
  return number <= largest && number >= (LEAST[digits] ?? Infinity);
}
