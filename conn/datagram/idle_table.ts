import { type Clock, SYSTEM_CLOCK } from "../admission/clock.ts";

/** Bounds of an {@link IdleTable}, and what is called when an entry ends. */
export interface IdleTableOptions<T> {
  /** Time in ms after which an unused entry ends; `Infinity` for never. */
  idleTimeout: number;
  /** Largest number of entries. The one unused for longest ends for a new one. */
  maxSize: number;
  /** Called once for each entry that ends, whatever ends it. */
  onEnd: (value: T) => void;
}

/** An entry, in a map whose order is that of the last use. */
interface Entry<T> {
  readonly value: T;
  usedAt: number;
}

/** Keeps a bounded number of values by key, each until it is idle for too long. */
export class IdleTable<T> {
  readonly #options: IdleTableOptions<T>;
  readonly #clock: Clock;
  readonly #entries = new Map<string, Entry<T>>();
  #stopTimer: (() => void) | undefined;

  /** Starts empty. */
  constructor(options: IdleTableOptions<T>, clock: Clock = SYSTEM_CLOCK) {
    this.#options = options;
    this.#clock = clock;
  }

  /** Number of entries. */
  get size(): number {
    return this.#entries.size;
  }

  /** Returns the value of a key and counts that as a use. */
  use(key: string): T | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    const now = this.#clock.now();
    if (this.#isIdle(entry, now)) { // its timer has not run yet
      this.end(key);
      return undefined;
    }
    entry.usedAt = now;
    this.#entries.delete(key); // to be set anew as the last
    this.#entries.set(key, entry);
    return entry.value;
  }

  /** Adds a value under a key that has none. */
  add(key: string, value: T): void {
    const { idleTimeout, maxSize } = this.#options;
    if (this.#entries.size >= maxSize) {
      const [oldest] = this.#entries.keys();
      if (oldest !== undefined) this.end(oldest);
    }
    this.#entries.set(key, { value, usedAt: this.#clock.now() });
    if (this.#stopTimer === undefined) this.#await(idleTimeout);
  }

  /** Ends the entry of a key, if there is one. */
  end(key: string): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#entries.delete(key);
    this.#options.onEnd(entry.value);
  }

  /** Ends all entries and the timer. */
  clear(): void {
    this.#stopTimer?.();
    this.#stopTimer = undefined;
    for (const key of [...this.#entries.keys()]) this.end(key);
  }

  #isIdle({ usedAt }: Entry<T>, now: number): boolean {
    return now - usedAt >= this.#options.idleTimeout;
  }

  /** One timer runs, for the entry that was unused for longest when it began. */
  #await(ms: number): void {
    if (ms === Infinity) return;
    this.#stopTimer = this.#clock.start(() => this.#expire(), ms, false);
  }

  #expire(): void {
    this.#stopTimer = undefined;
    const { idleTimeout } = this.#options;
    const now = this.#clock.now();
    for (const [key, entry] of this.#entries) {
      if (!this.#isIdle(entry, now)) {
        // A timer may run a little before its time.
        this.#await(Math.max(1, entry.usedAt + idleTimeout - now));
        return;
      }
      this.end(key);
    }
  }
}
