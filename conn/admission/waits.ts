import { EMPTY } from "../../codec/internal.ts";
import { ProxyProtocolError } from "../../codec/mod.ts";
import { type Clock, SYSTEM_CLOCK } from "./clock.ts";

/** What ends a wait. */
export interface Limits {
  /** In ms; `Infinity` for none. */
  timeout: number;
  signal: AbortSignal | undefined;
}

/** What has received bytes until a limit, for the error. */
export interface Receiver {
  readonly received: Uint8Array;
}

const NOBODY: Receiver = { received: EMPTY };

/** One wait, in a list of those that began before and after it. */
export interface Wait {
  readonly reject: (error: ProxyProtocolError) => void;
  readonly receiver: Receiver | undefined;
  /** On the clock; `Infinity` for none. */
  readonly deadline: number;
  isOver: boolean;
  older: Wait | undefined;
  newer: Wait | undefined;
}

/**
 * Waits within the same limits, as many as there are at once. A timer for each
 * would cost more than its header: one runs for the first deadline, and mostly
 * finds that its wait is over.
 *
 * The waits are linked with each other. A `Set` keeps its former tables, and
 * what was in them, until a full collection: on Deno that took a tenth of the
 * time of a short connection.
 */
export class Waits {
  readonly #timeout: number;
  readonly #signal: AbortSignal | undefined;
  readonly #keepsAlive: boolean;
  readonly #clock: Clock;
  readonly #onAbort = () => this.abort();
  #oldest: Wait | undefined;
  #newest: Wait | undefined;
  #stopTimer: (() => void) | undefined;
  #isClosed = false;

  /** Unless `keepsAlive`, the process may end during a wait. */
  constructor(
    { timeout, signal }: Limits,
    keepsAlive = true,
    clock: Clock = SYSTEM_CLOCK,
  ) {
    this.#timeout = timeout;
    this.#signal = signal;
    this.#keepsAlive = keepsAlive;
    this.#clock = clock;
    signal?.addEventListener("abort", this.#onAbort);
  }

  /** The wait that began first. */
  get oldest(): Wait | undefined {
    return this.#oldest;
  }

  /**
   * Waits for work. Work that exceeds a limit continues without being observed
   * until its connection is closed.
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
   * Checks that the signal has not fired.
   *
   * @throws {ProxyProtocolError} code `aborted`.
   */
  check(): void {
    if (this.#signal?.aborted) throw this.#abortedError(NOBODY);
  }

  /** Begins to wait until {@link end}; at a limit `reject` is called. */
  begin(
    reject: (error: ProxyProtocolError) => void,
    receiver?: Receiver,
    timeout: number = this.#timeout,
  ): Wait {
    const isEndless = timeout === Infinity;
    const wait: Wait = {
      reject,
      receiver,
      deadline: isEndless ? Infinity : this.#clock.now() + timeout,
      isOver: false,
      older: this.#newest,
      newer: undefined,
    };
    if (wait.older === undefined) this.#oldest = wait;
    else wait.older.newer = wait;
    this.#newest = wait;
    if (!isEndless && this.#stopTimer === undefined) {
      this.#await(wait.deadline, timeout);
    }
    return wait;
  }

  #await(deadline: number, ms: number): void {
    const expire = () => this.#expire(deadline);
    this.#stopTimer = this.#clock.start(expire, ms, this.#keepsAlive);
  }

  #expire(deadline: number): void {
    this.#stopTimer = undefined;
    // A timer may run a little before its time.
    const now = Math.max(deadline, this.#clock.now());
    const due: Wait[] = [];
    let next = Infinity;
    for (const wait of this.#all()) {
      if (wait.deadline <= now) due.push(wait);
      else next = Math.min(next, wait.deadline);
    }
    if (next < Infinity) this.#await(next, next - now);
    for (const wait of due.sort((a, b) => a.deadline - b.deadline)) {
      if (!this.end(wait)) continue; // ended by a callback before it
      wait.reject(timeoutError(this.#timeout, wait.receiver ?? NOBODY));
    }
  }

  /** All waits of now, the oldest first. */
  #all(): Wait[] {
    const all: Wait[] = [];
    for (let wait = this.#oldest; wait; wait = wait.newer) all.push(wait);
    return all;
  }

  /** Ends a wait; returns false if it is over already. */
  end(wait: Wait): boolean {
    if (wait.isOver) return false;
    wait.isOver = true;
    const { older, newer } = wait;
    if (older === undefined) this.#oldest = newer;
    else older.newer = newer;
    if (newer === undefined) this.#newest = older;
    else newer.older = older;
    // What refers to one wait must not keep all others.
    wait.older = wait.newer = undefined;
    if (this.#isClosed) this.#stop();
    return true;
  }

  /** Stops the timer if there is no wait that it could be for. */
  #stop(): void {
    if (this.#oldest === undefined) this.#stopTimer?.();
  }

  /** Ends the waits of now; others may begin. */
  abort(): void {
    this.#stopTimer?.();
    this.#stopTimer = undefined;
    for (const wait of this.#all()) {
      if (!this.end(wait)) continue; // ended by a callback before it
      wait.reject(this.#abortedError(wait.receiver ?? NOBODY));
    }
  }

  /** Stops listening to the signal: {@link abort} is called by others then. */
  leaveSignal(): void {
    this.#signal?.removeEventListener("abort", this.#onAbort);
  }

  /** Releases the signal and, after the last wait, the timer: no wait will begin. */
  close(): void {
    this.#isClosed = true;
    this.leaveSignal();
    this.#stop();
  }

  #abortedError({ received }: Receiver): ProxyProtocolError {
    return new ProxyProtocolError(
      "Cannot accept the connection: aborted",
      "aborted",
      { offset: received.length, received, cause: this.#signal?.reason },
    );
  }
}

function timeoutError(
  timeout: number,
  { received }: Receiver,
): ProxyProtocolError {
  return new ProxyProtocolError(
    `Cannot read PROXY header: not complete within ${timeout} ms`,
    "timeout",
    { offset: received.length, received },
  );
}
