/** Time, as tests of the admission have it. */

import type { Clock } from "../../conn/admission/clock.ts";

/** A clock that only a test moves on. */
export class TestClock implements Clock {
  /** How many timers have been started. */
  starts = 0;
  #now = 0;
  readonly #timers = new Map<object, { at: number; callback: () => void }>();

  now(): number {
    return this.#now;
  }

  start(callback: () => void, ms: number): () => void {
    this.starts++;
    const key = {};
    this.#timers.set(key, { at: this.#now + ms, callback });
    return () => this.#timers.delete(key);
  }

  /** Timers that run. */
  get timers(): number {
    return this.#timers.size;
  }

  pass(ms: number): void {
    const end = this.#now + ms;
    for (;;) {
      const [next] = [...this.#timers].sort(([, a], [, b]) => a.at - b.at);
      if (next === undefined || next[1].at > end) break;
      const [key, { at, callback }] = next;
      this.#now = at;
      this.#timers.delete(key);
      callback();
    }
    this.#now = end;
  }
}
