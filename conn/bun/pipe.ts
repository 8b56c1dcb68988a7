import { concat } from "./payload.ts";
import type { BunSocket } from "./types.ts";

/** How much is kept, in bytes, before no more is read. */
const MOST_KEPT = 65536;

/** What a direction belongs to. */
export interface PipeOwner {
  /** Nothing more is to be written by `pipe`: passes the end on. */
  pass(pipe: BunPipe): void;
  /** The far end of `pipe` is gone, which a write has found. */
  lose(pipe: BunPipe): void;
}

/**
 * One direction of a relay. What the far end does not take at once is kept, and
 * when that is much, no more is read of the near end until the far end has it.
 */
export class BunPipe {
  /** Bytes of payload that the far end has taken. */
  written = 0;
  /** Whether nothing more is to be written. */
  isOver = false;
  /** Whether the near end will send no more. */
  hasEnded = false;
  #to: BunSocket | undefined;
  #kept: Uint8Array[] = [];
  #keptLength = 0;
  #paused: BunSocket | undefined;
  readonly #owner: PipeOwner;

  /** Keeps what comes until {@link start}. */
  constructor(owner: PipeOwner) {
    this.#owner = owner;
  }

  /** Begins to write: a header, in one piece with what has come by now. */
  start(to: BunSocket, header: Uint8Array): void {
    this.#to = to;
    const first = concat([header, ...this.#kept]);
    this.#kept = first.length > 0 ? [first] : [];
    this.#keptLength = first.length;
    this.written -= header.length;
    this.flush();
  }

  /** Takes what has come of the near end. */
  data(from: BunSocket, bytes: Uint8Array): void {
    if (this.isOver) return;
    this.#kept.push(bytes);
    this.#keptLength += bytes.length;
    if (this.#kept.length === 1) this.flush();
    if (this.#keptLength < MOST_KEPT || this.#paused !== undefined) return;
    this.#paused = from;
    from.pause();
  }

  /** Writes what is kept, as far as the far end takes it. */
  flush(): void {
    const to = this.#to;
    if (to === undefined || this.isOver) return;
    for (let bytes = this.#kept[0]; bytes; bytes = this.#kept[0]) {
      const count = to.write(bytes);
      // A reset that a write has found is told by nothing else while `to` is paused.
      if (count < 0) return this.#owner.lose(this);
      this.written += count;
      this.#keptLength -= count;
      if (count < bytes.length) {
        this.#kept[0] = bytes.subarray(count);
        return;
      }
      this.#kept.shift();
    }
    if (this.hasEnded) return this.drop();
    this.#paused?.resume();
    this.#paused = undefined;
  }

  /** Takes the end of what comes, which is behind all that is kept. */
  end(): void {
    this.hasEnded = true;
    this.flush();
  }

  /** Throws away what is kept: the far end takes no more. */
  drop(): void {
    if (this.isOver) return;
    this.isOver = true;
    this.#kept = [];
    this.#owner.pass(this);
  }
}
