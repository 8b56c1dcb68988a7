import { EMPTY } from "../../codec/internal.ts";
import { Waits } from "../admission/waits.ts";
import { headerBytes } from "../sending/header_bytes.ts";
import { isReset } from "../sending/is_reset.ts";
import type { RelayPlan } from "../sending/read_options.ts";
import { relayedHeader } from "../sending/relayed_header.ts";
import type { RelayResult } from "../sending/types.ts";
import type { Facts } from "../_facts.ts";
import { shownEnds } from "./show.ts";
import { NodePipe } from "./pipe.ts";
import { resetSocket } from "./reset.ts";
import { isSocket, openingEvent, openTarget } from "./target.ts";
import { mendPauses } from "./tls_pauses.ts";
import type { NodeRelaySocket, NodeRelayTarget } from "./types.ts";

/** Copies between a client and its target. */
export class NodeRelay {
  readonly #client: NodeRelaySocket;
  readonly #facts: Facts;
  readonly #plan: RelayPlan;
  /** From the client to the target. */
  readonly #up = new NodePipe();
  /** From the target to the client. */
  readonly #down = new NodePipe();
  readonly #closed = Promise.withResolvers<void>();
  #target: NodeRelaySocket | undefined;
  #isCopying = false;
  #hasFailed = false;
  #isClientClosed = false;
  #isTargetClosed = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #error: unknown;

  constructor(client: NodeRelaySocket, facts: Facts, plan: RelayPlan) {
    this.#client = client;
    this.#facts = facts;
    this.#plan = plan;
  }

  /** Relays until both ends are closed. */
  async run(target: NodeRelayTarget): Promise<RelayResult> {
    this.#takeClient();
    if (isSocket(target)) this.#takeTarget(target);
    const { signal } = this.#plan;
    const work = () => {
      this.#begin(target);
      return this.#closed.promise;
    };
    if (signal === undefined) await work();
    else {
      const waits = new Waits({ timeout: Infinity, signal });
      await waits.within(work).catch((error) => this.#fail(error));
      waits.close();
      await this.#closed.promise;
    }
    return {
      sent: this.#up.written,
      received: this.#down.written,
      ...(this.#error !== undefined && { error: this.#error }),
    };
  }

  #takeClient(): void {
    const client = this.#client;
    client.allowHalfOpen = true;
    client.setNoDelay?.(true); // what the target sends at once arrives at once
    const lose = (error: unknown) => this.#lose(this.#up, this.#down, error);
    const close = () => {
      this.#isClientClosed = true;
      this.#close(this.#up, this.#down, this.#target);
    };
    client.on("error", lose);
    client.on("close", close);
    this.#read(client, this.#up);
    client.resume(); // the application may have paused it
    if (!client.destroyed) return;
    if (client.errored) lose(client.errored);
    close();
  }

  #takeTarget(target: NodeRelaySocket): void {
    this.#target = target;
    target.allowHalfOpen = true;
    target.on("error", (error) => this.#lose(this.#down, this.#up, error));
    target.on("close", () => {
      this.#isTargetClosed = true;
      this.#close(this.#down, this.#up, this.#client);
    });
  }

  /** Reads a socket, whose sending direction may have ended by now. */
  #read(socket: NodeRelaySocket, pipe: NodePipe): void {
    mendPauses(socket);
    pipe.from(socket);
    if (socket.readableEnded) this.#end(pipe);
    else socket.on("end", () => this.#end(pipe));
  }

  /** Opens the target, as soon as the header for it can be written. */
  #begin(target: NodeRelayTarget): void {
    const isTold = this.#plan.send !== undefined;
    const { ready } = this.#facts;
    ready?.then(
      () => isTold ? this.#open(target) : undefined,
      (error) => this.#fail(error),
    );
    if (ready === undefined || !isTold) this.#open(target);
  }

  async #open(target: NodeRelayTarget): Promise<void> {
    if (this.#hasFailed) return;
    try {
      const header = this.#header();
      const opening = openTarget(target);
      const opened = opening instanceof Promise ? await opening : opening;
      if (this.#target === undefined) this.#takeTarget(opened);
      if (this.#hasFailed) return void opened.destroy();
      if (opened.destroyed) {
        throw opened.errored ?? new Error("Cannot relay: the target is closed");
      }
      const event = openingEvent(opened);
      if (event === undefined) this.#start(opened, header);
      else opened.on(event, () => this.#start(opened, header));
    } catch (error) {
      this.#fail(error);
    }
  }

  #header(): Uint8Array {
    if (this.#plan.send === undefined) return EMPTY;
    const { info } = this.#facts;
    const ends = shownEnds(this.#client, this.#facts);
    return headerBytes(
      relayedHeader({ info, ...ends }, this.#plan),
      this.#plan,
    );
  }

  /** Begins to copy. */
  #start(target: NodeRelaySocket, header: Uint8Array): void {
    if (this.#hasFailed) return;
    this.#isCopying = true;
    this.#up.to(target, header);
    this.#down.to(this.#client, EMPTY);
    this.#read(target, this.#down);
    if (this.#isClientClosed) finish(target);
  }

  /** Handles the end of one direction. */
  #end(pipe: NodePipe): void {
    pipe.end();
    const { halfOpenTimeout } = this.#plan;
    if (halfOpenTimeout === Infinity || this.#timer !== undefined) return;
    this.#timer = setTimeout(() => this.#destroy(), halfOpenTimeout);
  }

  /** Handles the failure of a socket, from which `out` copies and to which `back` does. */
  #lose(out: NodePipe, back: NodePipe, error: unknown): void {
    if (this.#hasFailed || (out.isOver && back.isOver)) return;
    this.#error ??= error;
    // What it had sent before its end is still passed on.
    if (!out.hasEnded || out.isOver) this.#fail(error);
  }

  /** Handles the close of a connection, of which `other` is the other side. */
  #close(
    out: NodePipe,
    back: NodePipe,
    other: NodeRelaySocket | undefined,
  ): void {
    out.end();
    // If the other side has ended too, the runtime closes it.
    if (!back.hasEnded && this.#isCopying && other !== undefined) finish(other);
    back.drop();
    this.#settle();
  }

  /** Closes both ends at once: by a reset where an orderly end would deceive. */
  #fail(error: unknown): void {
    if (this.#hasFailed) return;
    this.#hasFailed = true;
    this.#error ??= error;
    this.#up.drop();
    this.#down.drop();
    if (!isReset(error, this.#isCopying)) return this.#destroy();
    resetSocket(this.#client);
    if (this.#target !== undefined) resetSocket(this.#target);
    // A TLS socket does not emit 'close' then on all runtimes.
    this.#isClientClosed = this.#isTargetClosed = true;
    this.#settle();
  }

  #destroy(): void {
    this.#client.destroy();
    this.#target?.destroy();
    this.#isTargetClosed ||= this.#target === undefined;
    this.#settle();
  }

  #settle(): void {
    if (!this.#isClientClosed || !this.#isTargetClosed) return;
    clearTimeout(this.#timer);
    this.#closed.resolve();
  }
}

/** Closes a socket, whose end has been asked for, once it has written what it has. */
function finish(socket: NodeRelaySocket): void {
  if (socket.writableFinished) socket.destroy();
  else socket.on("finish", () => socket.destroy());
}
