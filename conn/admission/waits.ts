import { EMPTY } from "../../codec/internal.ts";
import { ProxyProtocolError } from "../../codec/mod.ts";

/** What ends a wait. */
export interface Limits {
  /** In ms; `Infinity` for none. */
  timeout: number;
  signal: AbortSignal | undefined;
}

/** What tells what has come until then, for the error. */
export interface Receiver {
  readonly received: Uint8Array;
}

const NOBODY: Receiver = { received: EMPTY };

/** Somebody who waits. */
export interface Wait {
  reject: (error: ProxyProtocolError) => void;
  receiver: Receiver | undefined;
  /** On the clock of `performance`; `Infinity` for none. */
  deadline: number;
  /** Where it is kept. */
  place: number;
}

/**
 * Waits within the same limits, as many as there are at once. A timer for each
 * would cost more than its header: one runs for the first deadline, and mostly
 * finds that whoever had it is through.
 */
export class Waits {
  readonly #timeout: number;
  readonly #signal: AbortSignal | undefined;
  readonly #keepsAlive: boolean;
  /**
   * Those who wait, and places for others. Not a `Set`: the tables that it has
   * outgrown keep who was in them until a full collection, a tenth of the time
   * that a short connection takes on Deno.
   */
  readonly #places: (Wait | undefined)[] = [];
  readonly #free: number[] = [];
  readonly #onAbort = () => this.abort();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isClosed = false;

  /** Without `keepsAlive` the process may end though somebody waits. */
  constructor({ timeout, signal }: Limits, keepsAlive = true) {
    this.#timeout = timeout;
    this.#signal = signal;
    this.#keepsAlive = keepsAlive;
    signal?.addEventListener("abort", this.#onAbort);
  }

  /**
   * Waits for work. What is still under way at a limit goes on unheard, until
   * its connection is closed.
   *
   * @throws {ProxyProtocolError} code `timeout` or `aborted`.
   */
  within<T>(
    work: () => Promise<T>,
    receiver?: Receiver,
    timeout?: number,
  ): Promise<T> {
    return new Promise((resolve, reject) => {
      this.check();
      const wait = this.begin(reject, receiver, timeout);
      work().then((value) => {
        this.end(wait);
        resolve(value);
      }, (error) => {
        this.end(wait);
        reject(error);
      });
    });
  }

  /**
   * Checks that there is anything to wait for.
   *
   * @throws {ProxyProtocolError} code `aborted`.
   */
  check(): void {
    checkSignal(this.#signal);
  }

  /** Begins to wait until {@link end}; at a limit `reject` is told. */
  begin(
    reject: (error: ProxyProtocolError) => void,
    receiver?: Receiver,
    timeout: number = this.#timeout,
  ): Wait {
    const deadline = timeout === Infinity
      ? Infinity
      : performance.now() + timeout;
    const place = this.#free.pop() ?? this.#places.length;
    const wait = { reject, receiver, deadline, place };
    this.#places[place] = wait;
    if (this.#timer === undefined) this.#await(deadline, timeout);
    return wait;
  }

  #await(deadline: number, ms: number): void {
    if (deadline === Infinity) return;
    this.#timer = setTimeout(() => this.#expire(deadline), ms);
    if (!this.#keepsAlive) unref(this.#timer);
  }

  #expire(deadline: number): void {
    this.#timer = undefined;
    // A timer may run a little before its time.
    const now = Math.max(deadline, performance.now());
    const waiting = this.#waiting().sort((a, b) => a.deadline - b.deadline);
    const next = waiting.find(({ deadline }) => deadline > now);
    if (next) this.#await(next.deadline, next.deadline - now);
    for (const wait of waiting) {
      if (wait.deadline > now) break;
      if (!this.end(wait)) continue; // by who was told before
      wait.reject(timeoutError(this.#timeout, wait.receiver));
    }
  }

  #waiting(): Wait[] {
    return this.#places.filter((wait) => wait !== undefined);
  }

  /** Ends a wait; false when it has ended already. */
  end(wait: Wait): boolean {
    const { place } = wait;
    if (this.#places[place] !== wait) return false;
    this.#places[place] = undefined;
    this.#free.push(place);
    if (this.#isClosed) this.#stop();
    return true;
  }

  /** Stops the timer when there is nobody it could be for. */
  #stop(): void {
    if (this.#free.length === this.#places.length) clearTimeout(this.#timer);
  }

  /** Ends the waits of now; others may begin. */
  abort(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    for (const wait of this.#waiting()) {
      if (!this.end(wait)) continue; // by who was told before
      wait.reject(abortedError(this.#signal, wait.receiver));
    }
  }

  /** Leaves the signal to whoever calls {@link abort} then. */
  leaveSignal(): void {
    this.#signal?.removeEventListener("abort", this.#onAbort);
  }

  /** Says that nobody will wait any more; those who do go on. */
  close(): void {
    this.#isClosed = true;
    this.leaveSignal();
    this.#stop();
  }
}

/** Lets the process end before a timer, where that can be told. */
function unref(timer: unknown): void {
  if (typeof timer !== "object" || timer === null) return;
  if ("unref" in timer && typeof timer.unref === "function") timer.unref();
}

function timeoutError(
  timeout: number,
  receiver: Receiver | undefined,
): ProxyProtocolError {
  const { received } = receiver ?? NOBODY;
  return new ProxyProtocolError(
    `Cannot read PROXY header: not complete within ${timeout} ms`,
    "timeout",
    { offset: received.length, received },
  );
}

/**
 * Checks that a signal has not fired.
 *
 * @throws {ProxyProtocolError} code `aborted`.
 */
export function checkSignal(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw abortedError(signal);
}

function abortedError(
  signal: AbortSignal | undefined,
  receiver?: Receiver,
): ProxyProtocolError {
  const { received } = receiver ?? NOBODY;
  return new ProxyProtocolError(
    "Cannot accept the connection: aborted",
    "aborted",
    { offset: received.length, received, cause: signal?.reason },
  );
}
