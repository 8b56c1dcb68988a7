import { Buffer } from "node:buffer";
import type { NodeRelaySocket } from "./types.ts";

/** Most bytes that are kept for a far end that is not connected yet. */
const MOST_KEPT = 65536;

/**
 * Property of a socket with the pipe that reads it. With separate listeners for each
 * socket, a connection used 1.6 KiB more of the heap.
 */
const PIPE = Symbol("proxy-protocol.pipe");

/** Property of a socket with the pipe that writes to it. */
const INFLOW = Symbol("proxy-protocol.inflow");

interface Holder {
  [PIPE]?: NodePipe;
  [INFLOW]?: NodePipe;
}

/** The relay that a pipe belongs to. */
export interface PipeOwner {
  /** Handles the end of the socket that `pipe` reads. */
  end(pipe: NodePipe): void;
  /** Handles the failure of the socket that `pipe` reads. */
  lose(pipe: NodePipe, error: unknown): void;
  /** Handles the close of the socket that `pipe` reads. */
  close(pipe: NodePipe): void;
}

/**
 * One direction of a relay. The near end is paused while more bytes wait on the far
 * end than its `highWaterMark`. Until the far end is connected, the pipe keeps bytes.
 */
export class NodePipe {
  /** Bytes of payload that the far end has accepted. */
  written = 0;
  /** Whether the near end will send no more. */
  hasEnded = false;
  readonly owner: PipeOwner;
  #isDropped = false;
  #near: NodeRelaySocket | undefined;
  #far: NodeRelaySocket | undefined;
  #kept: Uint8Array[] | undefined;
  #keptLength = 0;

  constructor(owner: PipeOwner) {
    this.owner = owner;
  }

  /** The socket that it reads. */
  get near(): NodeRelaySocket | undefined {
    return this.#near;
  }

  /** Whether the far end has written everything and its end, or is gone. */
  get isOver(): boolean {
    return this.#isDropped ||
      (this.hasEnded && this.#far?.writableFinished === true);
  }

  /** Begins to listen to a socket, which is not read yet. */
  watch(near: NodeRelaySocket): void {
    this.#near = near;
    const holder: Holder & NodeRelaySocket = near;
    holder[PIPE] = this;
    near.on("error", onError);
    near.on("close", onClose);
  }

  /** Begins to read a socket, whose peer may have ended its direction by now. */
  read(): void {
    const near = this.#near;
    near?.on("data", onData);
    if (near?.readableEnded) this.owner.end(this);
    else near?.on("end", onEnd);
  }

  /** Begins to write: first the header and the kept bytes in one piece. */
  write(far: NodeRelaySocket, header: Uint8Array): void {
    if (this.#isDropped) return;
    this.#far = far;
    const holder: Holder & NodeRelaySocket = far;
    holder[INFLOW] = this;
    far.on("drain", onDrain);
    const kept = this.#kept ?? [];
    const first = kept.length > 0 ? Buffer.concat([header, ...kept]) : header;
    this.written = this.#keptLength;
    this.#kept = undefined;
    const hasRoom = first.length === 0 || far.write(first);
    if (!hasRoom) this.#near?.pause();
    else if (this.#keptLength >= MOST_KEPT) this.#near?.resume();
    if (this.hasEnded) far.end();
  }

  /** Receives bytes of the near end. */
  data(chunk: Uint8Array): void {
    if (this.#isDropped) return;
    if (this.#far === undefined) return this.#keep(chunk);
    this.written += chunk.length;
    if (!this.#far.write(chunk)) this.#near?.pause();
  }

  /** Continues when the far end has written its waiting bytes. */
  resume(): void {
    this.#near?.resume();
  }

  #keep(chunk: Uint8Array): void {
    this.#kept ??= [];
    this.#kept.push(chunk);
    this.#keptLength += chunk.length;
    if (this.#keptLength >= MOST_KEPT) this.#near?.pause();
  }

  /** Forwards the end of the near end, after all its bytes. */
  end(): void {
    if (this.hasEnded) return;
    this.hasEnded = true;
    if (!this.#isDropped) this.#far?.end();
  }

  /** Discards kept and later bytes, because the far end is closed. */
  drop(): void {
    if (this.#isDropped) return;
    this.#isDropped = true;
    this.#kept = undefined;
    if (this.#far === undefined || this.#far.destroyed) return;
    this.written -= Math.min(this.written, this.#far.writableLength);
  }
}

function onData(this: Holder, chunk: unknown): void {
  if (chunk instanceof Uint8Array) this[PIPE]?.data(chunk);
}

function onDrain(this: Holder): void {
  this[INFLOW]?.resume();
}

function onEnd(this: Holder): void {
  const pipe = this[PIPE];
  pipe?.owner.end(pipe);
}

function onClose(this: Holder): void {
  const pipe = this[PIPE];
  pipe?.owner.close(pipe);
}

function onError(this: Holder, error: unknown): void {
  const pipe = this[PIPE];
  pipe?.owner.lose(pipe, error);
}
