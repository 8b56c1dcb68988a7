import { quote } from "../codec/internal.ts";

/** Longest delay of a timer, in ms. */
const LONGEST_TIMEOUT = 0x7fffffff;

/**
 * Checks a time in ms that a timer is to run.
 *
 * @throws {TypeError} when it is no number.
 * @throws {RangeError} when no timer runs so long.
 */
export function checkTimeout(
  name: string,
  timeout: number,
  least: number,
): void {
  if (typeof timeout !== "number") {
    throw new TypeError(
      `Cannot read ${name}: expected a number, received ${quote(timeout)}`,
    );
  }
  const isTimer = timeout >= least && timeout <= LONGEST_TIMEOUT;
  if (isTimer || timeout === Infinity) return;
  throw new RangeError(
    `Cannot read ${name}: must be ${least} to ${LONGEST_TIMEOUT} ms or Infinity, received ${timeout}`,
  );
}

/**
 * Checks a function that may be absent. Anything else would fail when it is
 * called, or never be called.
 *
 * @throws {TypeError} when it is something else.
 */
export function checkFunction(name: string, value: unknown): void {
  if (value === undefined || typeof value === "function") return;
  throw new TypeError(
    `Cannot read ${name}: expected a function, received ${quote(value)}`,
  );
}
