import { EMPTY } from "../../../codec/internal.ts";
import type { Facts } from "../../_facts.ts";
import type { Clock } from "../../admission/clock.ts";
import { BunPipe, type PipeOwner } from "../pipe.ts";
import type { Link, Links } from "./links.ts";
import type { DialEvents, NativeSocket } from "./runtime.ts";

/** Longest time in ms that a client may stay open after the server has closed. */
const LINGER = 2000;

/** Longest time in ms until the server ends, after the client has closed. */
const PATIENCE = 200;

/** Who a link belongs to. */
export interface LinkOwner {
  readonly links: Links;
  readonly clock: Clock;
  /** Connects to the inner server once more. */
  dial(link: HttpLink): void;
  /** The connection to the inner server is there. */
  opened(link: HttpLink): void;
  /** Both ends are closed. */
  forget(link: HttpLink): void;
}

/**
 * A client's connection, and our connection to the inner server, which identifies
 * requests by our local port. The port belongs to the client until the server has
 * closed its own end. So after the client has closed, our end is only ended, and
 * further bytes are read and dropped.
 */
export class HttpLink implements DialEvents, Link, PipeOwner {
  readonly facts: Facts;
  readonly #owner: LinkOwner;
  readonly #socket: NativeSocket<unknown>;
  readonly #up: BunPipe = new BunPipe(this);
  readonly #down: BunPipe = new BunPipe(this);
  #target: NativeSocket<DialEvents> | undefined;
  #port = 0;
  #isClientGone = false;
  #hasServerEnded = false;
  #isTargetGone = false;
  #stopTimer = () => {};

  constructor(
    owner: LinkOwner,
    socket: NativeSocket<unknown>,
    facts: Facts,
  ) {
    this.#owner = owner;
    this.#socket = socket;
    this.facts = facts;
  }

  /** Whether the server's connection is open. Only `remotePort` always asks the system. */
  get isOpen(): boolean {
    return this.#target?.remotePort !== undefined;
  }

  /** Uses the connection to the inner server. */
  opened(target: NativeSocket<DialEvents>): void {
    const { links } = this.#owner;
    // Nothing was sent, so there is nothing to wait for.
    if (this.#isClientGone) return target.terminate();
    const port = target.localPort ?? 0;
    if (links.isQuarantined(port)) {
      links.hold(target);
      return this.#owner.dial(this);
    }
    links.add(port, this);
    this.#port = port;
    this.#target = target;
    this.#owner.opened(this);
    this.#up.start(target, EMPTY);
    this.#down.start(this.#socket, EMPTY);
  }

  /** There is no connection to the inner server. */
  failed(): void {
    this.#isTargetGone = true;
    this.#socket.terminate();
    this.#settle();
  }

  /** Receives what the client sends. */
  sent(payload: Uint8Array): void {
    this.#up.data(this.#socket, payload);
  }

  /** The client accepts more. */
  clientDrained(): void {
    this.#down.flush();
  }

  /** The client sends no more. */
  clientEnded(): void {
    this.#up.end();
    if (this.#down.isOver) this.#socket.end();
  }

  /** The client's connection is closed. */
  clientClosed(): void {
    this.#isClientGone = true;
    this.#stopTimer();
    this.#up.drop();
    this.#down.drop();
    const isServed = !this.#hasServerEnded && !this.#isTargetGone;
    if (this.#target !== undefined && isServed) {
      this.#target.resume();
      // If the server does not read, our end waits after the bytes sent before it.
      this.#stopTimer = this.#start(() => this.#reset(), PATIENCE);
    }
    this.#settle();
  }

  received(payload: Uint8Array): void {
    if (this.#target !== undefined) this.#down.data(this.#target, payload);
  }

  drained(): void {
    this.#up.flush();
  }

  /** Handles the end of the server, which reads no more requests from our end. */
  ended(): void {
    this.#endServer();
    this.#target?.end();
  }

  /** Closed: in order if there is no error. After our own end Bun reports no other one. */
  closed(error: Error | undefined): void {
    this.#isTargetGone = true;
    if (this.#isClientGone) this.#stopTimer();
    else if (error !== undefined && !this.#hasServerEnded) {
      this.#socket.terminate(); // as the server did
    }
    this.#endServer();
    this.#settle();
  }

  #endServer(): void {
    if (this.#hasServerEnded) return;
    this.#hasServerEnded = true;
    this.#owner.links.remove(this.#port, this);
    this.#up.drop();
    this.#down.end();
  }

  /** Lets the process end, or not, while this is open. */
  keepAlive(isKept: boolean): void {
    const call = isKept ? "ref" : "unref";
    this.#socket[call]();
    this.#target?.[call]();
  }

  #reset(): void {
    this.#owner.links.quarantine(this.#port, this);
    this.#target?.terminate();
  }

  pass(pipe: BunPipe): void {
    if (pipe === this.#up) this.#endTarget();
    else this.#endClient();
  }

  /** Bun reports no close of a paused socket whose reset a write has found. */
  lose(pipe: BunPipe): void {
    const socket = pipe === this.#up ? this.#target : this.#socket;
    socket?.resume();
    socket?.terminate();
  }

  /** Nothing more is to be written to the server. */
  #endTarget(): void {
    if (!this.#hasServerEnded) this.#target?.shutdown();
  }

  /** Nothing more is to be written to the client. */
  #endClient(): void {
    if (this.#isClientGone) return;
    const socket = this.#socket;
    if (this.#up.hasEnded) return void socket.end();
    socket.shutdown();
    // A reset for bytes that the client still sends could overtake the answer.
    socket.resume();
    this.#stopTimer = this.#start(() => socket.terminate(), LINGER);
  }

  /** Starts a timer. Connections may keep the process alive, but timers never do. */
  #start(callback: () => void, ms: number): () => void {
    return this.#owner.clock.start(callback, ms, false);
  }

  #settle(): void {
    if (this.#isClientGone && this.#isTargetGone) this.#owner.forget(this);
  }
}
