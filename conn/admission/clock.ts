/** The time, as a parameter: tests of the admission have a clock of their own. */
export interface Clock {
  /** Returns the time in ms since some moment. */
  now(): number;
  /**
   * Calls back once after `ms`; returns a function that stops it. Unless
   * `keepsAlive`, the process may end before.
   */
  start(callback: () => void, ms: number, keepsAlive: boolean): () => void;
}

/** The clock and the timers of the runtime. */
export const SYSTEM_CLOCK: Clock = {
  now: () => performance.now(),
  start: (callback, ms, keepsAlive) => {
    const timer = setTimeout(callback, ms);
    if (!keepsAlive) unref(timer);
    return () => clearTimeout(timer);
  },
};

/** Lets the process end before a timer, if the runtime has a way to say so. */
function unref(timer: unknown): void {
  if (typeof timer !== "object" || timer === null) return;
  if ("unref" in timer && typeof timer.unref === "function") timer.unref();
}
