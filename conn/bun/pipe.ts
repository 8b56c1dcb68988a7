import { concat } from "./payload.ts";
import type { BunSocket } from "./types.ts";

/** Number of kept bytes from which reading pauses. */
const MOST_KEPT = 65536;

/** Owner of a direction. */
export interface PipeOwner {
  /** Forwards the end. `pipe` will write nothing more. */
  pass(pipe: BunPipe): void;
  /** Handles a closed far end of `pipe`, which a write has found. */
  lose(pipe: BunPipe): void;
}

/**
 * One direction of a relay. Bytes that the far end does not accept at once are
 * kept. While many are kept, reading from the near end pauses.
 */
export class BunPipe {
  /** Bytes of payload that were written to the far end. */
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

  /** Keeps received bytes until {@link start}. */
  constructor(owner: PipeOwner) {
    this.#owner = owner;
  }

  /** Begins to write: first the header and the kept bytes in one piece. */
  start(to: BunSocket, header: Uint8Array): void {
    this.#to = to;
    const first = concat([header, ...this.#kept]);
    this.#kept = first.length > 0 ? [first] : [];
    this.#keptLength = first.length;
    this.written -= header.length;
    this.flush();
  }

  /** Receives bytes of the near end. */
  data(from: BunSocket, bytes: Uint8Array): void {
    if (this.isOver) return;
    this.#kept.push(bytes);
    this.#keptLength += bytes.length;
    if (this.#kept.length === 1) this.flush();
    if (this.#keptLength < MOST_KEPT || this.#paused !== undefined) return;
    this.#paused = from;
    from.pause();
  }

  /** Writes the kept bytes, as many as the far end accepts. */
  flush(): void {
    const to = this.#to;
    if (to === undefined || this.isOver) return;
    for (let bytes = this.#kept[0]; bytes; bytes = this.#kept[0]) {
      const count = to.write(bytes);
      // While `to` is paused, only a write reports a reset.
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

  /** Receives the end of the near end. It is forwarded after all kept bytes. */
  end(): void {
    this.hasEnded = true;
    this.flush();
  }

  /** Drops the kept bytes, because the far end accepts no more. */
  drop(): void {
    if (this.isOver) return;
    this.isOver = true;
    this.#kept = [];
    this.#owner.pass(this);
  }
}
