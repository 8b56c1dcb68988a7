/**
 * Stand-in for `@std/assert` where JSR is out of reach: the functions that the
 * tests use, over `node:assert`.
 *
 * @module
 */

import nodeAssert, { AssertionError } from "node:assert/strict";

export { AssertionError };

/** Any class of error; `never[]` takes constructors of all parameters. */
export type ErrorClass<E extends Error> = abstract new (...args: never[]) => E;

export function assert(value: unknown, message = ""): asserts value {
  if (!value) throw new AssertionError({ message });
}

export function assertFalse(value: unknown, message = ""): void {
  assert(!value, message);
}

export function fail(message?: string): never {
  throw new AssertionError({ message: message ?? "failed" });
}

export function assertEquals<T>(actual: T, expected: T, message?: string) {
  nodeAssert.deepStrictEqual(actual, expected, message);
}

export function assertNotEquals<T>(actual: T, expected: T, message?: string) {
  nodeAssert.notDeepStrictEqual(actual, expected, message);
}

export function assertStrictEquals<T>(
  actual: unknown,
  expected: T,
  message?: string,
): asserts actual is T {
  nodeAssert.strictEqual(actual, expected, message);
}

export function assertExists<T>(
  actual: T,
  message?: string,
): asserts actual is NonNullable<T> {
  assert(actual !== undefined && actual !== null, message);
}

export function assertInstanceOf<T>(
  actual: unknown,
  expected: abstract new (...args: never[]) => T,
  message?: string,
): asserts actual is T {
  assert(actual instanceof expected, message ?? `not a ${expected.name}`);
}

export function assertObjectMatch(
  actual: object,
  expected: object,
  message?: string,
): void {
  for (const [key, value] of Object.entries(expected)) {
    const found: unknown = Reflect.get(actual, key);
    const isRecord = (v: unknown): v is object =>
      typeof v === "object" && v !== null && !Array.isArray(v) &&
      !ArrayBuffer.isView(v);
    if (isRecord(value) && isRecord(found)) {
      assertObjectMatch(found, value, message);
    } else nodeAssert.deepStrictEqual(found, value, message ?? key);
  }
}

export function assertMatch(
  actual: string,
  expected: RegExp,
  message?: string,
) {
  nodeAssert.match(actual, expected, message);
}

export function assertStringIncludes(
  actual: string,
  expected: string,
  message?: string,
): void {
  assert(
    actual.includes(expected),
    message ?? `${JSON.stringify(actual)} has no ${JSON.stringify(expected)}`,
  );
}

export function assertGreater<T>(actual: T, expected: T, message?: string) {
  assert(actual > expected, message ?? `${actual} is not over ${expected}`);
}

export function assertLess<T>(actual: T, expected: T, message?: string) {
  assert(actual < expected, message ?? `${actual} is not under ${expected}`);
}

export function assertGreaterOrEqual<T>(
  actual: T,
  expected: T,
  message?: string,
): void {
  assert(actual >= expected, message ?? `${actual} is under ${expected}`);
}

export function assertLessOrEqual<T>(
  actual: T,
  expected: T,
  message?: string,
): void {
  assert(actual <= expected, message ?? `${actual} is over ${expected}`);
}

function checkError<E extends Error>(
  error: unknown,
  expected?: ErrorClass<E>,
  includes = "",
): E {
  const type = expected ?? Error;
  assert(error instanceof type, `not a ${type.name}: ${error}`);
  assertStringIncludes(error.message, includes);
  return error as E;
}

export function assertThrows<E extends Error = Error>(
  fn: () => unknown,
  expected?: ErrorClass<E>,
  includes?: string,
): E {
  let error: unknown;
  try {
    fn();
  } catch (caught) {
    error = caught;
    return checkError(error, expected, includes);
  }
  return fail("did not throw");
}

export async function assertRejects<E extends Error = Error>(
  fn: () => PromiseLike<unknown>,
  expected?: ErrorClass<E>,
  includes?: string,
): Promise<E> {
  try {
    await fn();
  } catch (caught) {
    return checkError(caught, expected, includes);
  }
  return fail("did not reject");
}
