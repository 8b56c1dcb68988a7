import { EMPTY } from "../../codec/internal.ts";
import { Waits } from "../admission/waits.ts";
import { headerBytes } from "../sending/header_bytes.ts";
import type { Facts } from "../_facts.ts";
import { IdleWatch } from "../sending/idle_watch.ts";
import { isReset } from "../sending/is_reset.ts";
import type { RelayPlan } from "../sending/read_options.ts";
import { relayedHeader } from "../sending/relayed_header.ts";
import type { RelayResult } from "../sending/types.ts";
import { shownEnds } from "./show.ts";
import { NodePipe, type PipeOwner } from "./pipe.ts";
import { resetSocket } from "./reset.ts";
import { isSocket, openingEvent, openTarget } from "./target.ts";
import { mendPauses } from "./tls_pauses.ts";
import type { NodeRelaySocket, NodeRelayTarget } from "./types.ts";

/** Copies between a client and its target. */
export class NodeRelay implements PipeOwner {
  readonly #client: NodeRelaySocket;
  readonly #facts: Facts;
  readonly #plan: RelayPlan;
  /** From the client to the target. */
  readonly #up = new NodePipe(this);
  /** From the target to the client. */
  readonly #down = new NodePipe(this);
  readonly #done = Promise.withResolvers<RelayResult>();
  #target: NodeRelaySocket | undefined;
  #watch: IdleWatch | undefined;
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
  run(target: NodeRelayTarget): Promise<RelayResult> {
    this.#takeClient();
    const { idleTimeout } = this.#plan;
    if (idleTimeout !== Infinity) {
      const moved = () => this.#up.written + this.#down.written;
      const fail = (error: Error) => this.#fail(error);
      this.#watch = new IdleWatch(idleTimeout, moved, fail);
    }
    if (isSocket(target)) this.#takeTarget(target);
    const { signal } = this.#plan;
    if (signal === undefined) this.#begin(target);
    else this.#within(signal, target);
    return this.#done.promise;
  }

  async #within(signal: AbortSignal, target: NodeRelayTarget): Promise<void> {
    const waits = new Waits({ timeout: Infinity, signal });
    const work = () => {
      this.#begin(target);
      return this.#done.promise;
    };
    await waits.within(work).catch((error) => this.#fail(error));
    waits.close();
  }

  #takeClient(): void {
    const client = this.#client;
    client.allowHalfOpen = true;
    client.setNoDelay?.(true); // so that small writes of the target are not delayed
    mendPauses(client);
    this.#up.watch(client);
    this.#up.read();
    client.resume(); // the application may have paused it
    if (!client.destroyed) return;
    if (client.errored) this.lose(this.#up, client.errored);
    this.close(this.#up);
  }

  #takeTarget(target: NodeRelaySocket): void {
    this.#target = target;
    target.allowHalfOpen = true;
    this.#down.watch(target);
  }

  /** Opens the target, as soon as the header for it can be written. */
  #begin(target: NodeRelayTarget): void {
    const sends = this.#plan.send !== undefined;
    const { ready } = this.#facts;
    ready?.then(
      () => sends ? this.#open(target) : undefined,
      (error) => this.#fail(error),
    );
    if (ready === undefined || !sends) this.#open(target);
  }

  #open(target: NodeRelayTarget): void {
    if (this.#hasFailed) return;
    try {
      const header = this.#header();
      const opened = openTarget(target);
      if (!("then" in opened)) return this.#await(opened, header);
      opened.then(
        (socket) => this.#await(socket, header),
        (error) => this.#fail(error),
      );
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

  /** Waits until a target can be written to. */
  #await(target: NodeRelaySocket, header: Uint8Array): void {
    if (this.#target === undefined) this.#takeTarget(target);
    if (this.#hasFailed) return void target.destroy();
    if (target.destroyed) {
      const { errored } = target;
      this.#fail(errored ?? new Error("Cannot relay: the target is closed"));
      return;
    }
    const event = openingEvent(target);
    if (event === undefined) return this.#start(target, header);
    const start = () => {
      target.off(event, start); // which keeps the header
      this.#start(target, header);
    };
    target.on(event, start);
  }

  /** Begins to copy. */
  #start(target: NodeRelaySocket, header: Uint8Array): void {
    if (this.#hasFailed) return;
    this.#isCopying = true;
    this.#up.write(target, header);
    this.#down.write(this.#client, EMPTY);
    mendPauses(target);
    this.#down.read();
    if (this.#isClientClosed) finish(target);
  }

  /** Handles the end of one direction. */
  end(pipe: NodePipe): void {
    pipe.end();
    const { halfOpenTimeout } = this.#plan;
    if (halfOpenTimeout === Infinity || this.#timer !== undefined) return;
    this.#timer = setTimeout(() => this.#destroy(), halfOpenTimeout);
  }

  /** The direction to the socket that `pipe` reads. */
  #back(pipe: NodePipe): NodePipe {
    return pipe === this.#up ? this.#down : this.#up;
  }

  /** Handles the failure of a socket. */
  lose(pipe: NodePipe, error: unknown): void {
    if (this.#hasFailed || (pipe.isOver && this.#back(pipe).isOver)) return;
    this.#error ??= error;
    // Bytes that the socket sent before it failed are still forwarded.
    if (!pipe.hasEnded || pipe.isOver) this.#fail(error);
  }

  /** Handles the close of a socket. */
  close(pipe: NodePipe): void {
    if (pipe === this.#up) this.#isClientClosed = true;
    else this.#isTargetClosed = true;
    const back = this.#back(pipe);
    pipe.end();
    // If the other side has ended too, the runtime closes it.
    if (!back.hasEnded && this.#isCopying && back.near) finish(back.near);
    back.drop();
    this.#settle();
  }

  /** Closes both ends at once, by a reset if an orderly end would be wrong. */
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
    if (this.#timer !== undefined) clearTimeout(this.#timer);
    this.#watch?.stop();
    this.#done.resolve({
      sent: this.#up.written,
      received: this.#down.written,
      ...(this.#error !== undefined && { error: this.#error }),
    });
  }
}

/** Closes a socket that is ending, after it has written its waiting bytes. */
function finish(socket: NodeRelaySocket): void {
  if (socket.writableFinished) socket.destroy();
  else socket.on("finish", () => socket.destroy());
}
