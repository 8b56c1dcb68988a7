/** How often a relay is looked at within its time; so it ends at most a quarter late. */
const LOOKS = 4;

/** Ends a relay that has moved no payload for a time. */
export class IdleWatch {
  readonly #timer: ReturnType<typeof setInterval> | undefined;
  #before = 0;
  #quietLooks = 0;

  /** `moved` says how many bytes have moved so far; `timeout` is in ms. */
  constructor(
    timeout: number,
    moved: () => number,
    end: (error: Error) => void,
  ) {
    if (timeout === Infinity) return;
    // No timer for each chunk: to start one anew costs more than to pass the chunk on.
    this.#timer = setInterval(() => {
      const now = moved();
      this.#quietLooks = now === this.#before ? this.#quietLooks + 1 : 0;
      this.#before = now;
      if (this.#quietLooks < LOOKS) return;
      this.stop();
      end(idleError(timeout));
    }, timeout / LOOKS);
  }

  /** Looks no more. */
  stop(): void {
    clearInterval(this.#timer);
  }
}

/** A relay that has been idle for too long. */
function idleError(timeout: number): Error {
  const error = new Error(`Cannot relay: no payload for ${timeout} ms`);
  error.name = "TimeoutError";
  return error;
}
