/**
 * A clock that a test holds: on a busy machine a deadline of a few ms may pass
 * before the bytes that are to come before it.
 *
 * @module
 */

/** Timers that run only when the test says so. */
export interface HeldTimers extends Disposable {
  /** What each timer so far was to wait for, in ms. */
  readonly delays: readonly unknown[];
  /** Runs the timers that wait, as if their time had come. */
  fire(): void;
}

/** Holds every timer that is set from now on, until this is disposed of. */
export function holdTimers(): HeldTimers {
  const { setTimeout, clearTimeout } = globalThis;
  const delays: unknown[] = [];
  const waiting = new Map<number, () => void>();
  globalThis.setTimeout = Object.assign(
    (...[run, delay, ...args]: Parameters<typeof setTimeout>) => {
      delays.push(delay);
      // No timer of the runtime has such a number.
      const id = -delays.length;
      if (typeof run === "function") waiting.set(id, () => run(...args));
      return id;
    },
    setTimeout,
  );
  globalThis.clearTimeout = (id) => {
    if (typeof id !== "number" || !waiting.delete(id)) clearTimeout(id);
  };
  return {
    delays,
    fire() {
      const due = [...waiting.values()];
      waiting.clear();
      for (const run of due) run();
    },
    [Symbol.dispose]() {
      Object.assign(globalThis, { setTimeout, clearTimeout });
    },
  };
}
