/**
 * How long a test waits for anything, in ms. It only ends a hang: the tests
 * take a hundredth of it, and a machine may be that much busier.
 */
export const LONGEST_WAIT = 60_000;

/** How long a program may run that a test starts, in ms: as long as many waits. */
export const LONGEST_RUN = 5 * LONGEST_WAIT;

/** Those of the runtime: a test may hold its timers. */
const { setTimeout, clearTimeout } = globalThis;

/** Fails when something takes too long, so that a hang says where. */
export async function within<T>(
  promise: Promise<T>,
  what: string,
  ms: number = LONGEST_WAIT,
): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => late.reject(new Error(`Waited ${ms} ms for ${what}`)),
    ms,
  );
  try {
    return await Promise.race([promise, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
