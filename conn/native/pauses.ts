/** Length of the first pause, in ms; each is twice as long as the one before. */
const FIRST_PAUSE = 5;

/** Length of the longest pause, in ms. */
const LONGEST_PAUSE = 1000;

/**
 * Pauses of a loop that accepts connections. A system without free descriptors
 * fails at once and again: without a pause the loop would use all CPU time.
 */
export class Pauses {
  readonly #signal: AbortSignal;
  #next = FIRST_PAUSE;

  /** A pause ends when `signal` fires. */
  constructor(signal: AbortSignal) {
    this.#signal = signal;
  }

  /** Makes the next pause a first one: a connection has been accepted. */
  reset(): void {
    this.#next = FIRST_PAUSE;
  }

  /** Pauses after a failure. */
  take(): Promise<void> {
    const signal = this.#signal;
    if (signal.aborted) return Promise.resolve();
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, this.#next);
    this.#next = Math.min(2 * this.#next, LONGEST_PAUSE);
    const wake = () => (clearTimeout(timer), resolve());
    signal.addEventListener("abort", wake, { once: true });
    return promise.finally(() => signal.removeEventListener("abort", wake));
  }
}
