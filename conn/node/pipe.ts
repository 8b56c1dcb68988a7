import { Buffer } from "node:buffer";
import type { NodeRelaySocket } from "./types.ts";

/** How much is kept for a far end that is not there yet, in bytes. */
const MOST_KEPT = 65536;

/**
 * One direction of a relay. The near end is paused while the far end has more to
 * write than it likes to keep; until there is a far end, the pipe keeps.
 */
export class NodePipe {
  /** Bytes of payload that the far end has accepted. */
  written = 0;
  /** Whether the near end will send no more. */
  hasEnded = false;
  #isDropped = false;
  #from: NodeRelaySocket | undefined;
  #to: NodeRelaySocket | undefined;
  #kept: Uint8Array[] = [];
  #keptLength = 0;

  /** Whether the far end has written everything and its end, or is gone. */
  get isOver(): boolean {
    return this.#isDropped ||
      (this.hasEnded && this.#to?.writableFinished === true);
  }

  /** Begins to read `from`. */
  from(from: NodeRelaySocket): void {
    this.#from = from;
    from.on("data", this.#data);
  }

  /** Begins to write: the header and what is kept, in one piece. */
  to(to: NodeRelaySocket, header: Uint8Array): void {
    if (this.#isDropped) return;
    this.#to = to;
    to.on("drain", this.#resume);
    const isPaused = this.#keptLength >= MOST_KEPT;
    const first = this.#keptLength > 0
      ? Buffer.concat([header, ...this.#kept])
      : header;
    this.written = this.#keptLength;
    this.#kept = [];
    const hasRoom = first.length === 0 || to.write(first);
    if (!hasRoom) this.#from?.pause();
    else if (isPaused) this.#resume();
    if (this.hasEnded) to.end();
  }

  readonly #data = (chunk: unknown): void => {
    if (this.#isDropped || !(chunk instanceof Uint8Array)) return;
    if (this.#to === undefined) return this.#keep(chunk);
    this.written += chunk.length;
    if (!this.#to.write(chunk)) this.#from?.pause();
  };

  readonly #resume = (): void => {
    this.#from?.resume();
  };

  #keep(chunk: Uint8Array): void {
    this.#kept.push(chunk);
    this.#keptLength += chunk.length;
    if (this.#keptLength >= MOST_KEPT) this.#from?.pause();
  }

  /** Handles the end of what the near end sends, which follows all of it. */
  end(): void {
    if (this.hasEnded) return;
    this.hasEnded = true;
    if (!this.#isDropped) this.#to?.end();
  }

  /** Discards what is kept and what arrives: the far end is gone. */
  drop(): void {
    if (this.#isDropped) return;
    this.#isDropped = true;
    this.#kept = [];
    if (this.#to === undefined || this.#to.destroyed) return;
    this.written -= Math.min(this.written, this.#to.writableLength);
  }
}
