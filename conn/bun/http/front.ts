import { ProxyProtocolError } from "../../../codec/mod.ts";
import { type Clock, SYSTEM_CLOCK } from "../../admission/clock.ts";
import { Gate } from "../../admission/gate.ts";
import type { Policy } from "../../admission/policy.ts";
import type { ListenerStats } from "../../types.ts";
import { BunConn, connOf } from "../conn.ts";
import { laterHandlers } from "../later_handlers.ts";
import type { BunHandlers, BunNativeSocket } from "../types.ts";
import { HttpLink, type LinkOwner } from "./link.ts";
import { Links } from "./links.ts";
import {
  bun,
  type DialHandlers,
  type ListenPlace,
  type NativeListener,
  type NativeSocket,
} from "./runtime.ts";

/** Where the inner server listens. */
export const INNER_HOST = "127.0.0.1";

/** A socket of the listener: what `verify` is called with, and its link. */
type FrontSocket = BunNativeSocket & NativeSocket<HttpLink>;

/** Shared by all connections, because the runtime is faster with known handlers. */
const DIAL_HANDLERS: DialHandlers = {
  open: (target) => target.data.opened(target),
  data: (target, payload) => target.data.received(payload),
  drain: (target) => target.data.drained(),
  end: (target) => target.data.ended(),
  close: (target, error) => target.data.closed(error),
};

/**
 * Listens in front of an inner server, accepts connections by their headers and
 * connects each of them to the server.
 */
export class HttpFront implements LinkOwner {
  readonly clock: Clock = SYSTEM_CLOCK;
  readonly links: Links = new Links(SYSTEM_CLOCK);
  readonly #innerPort: number;
  readonly #open = new Set<HttpLink>();
  #gate: Gate<BunNativeSocket>;
  /** All that there have been: connections may still wait for their headers. */
  readonly #gates: Gate<BunNativeSocket>[] = [];
  #listener: NativeListener | undefined;
  readonly #stopping = new AbortController();
  /** Connections that are about to reach the server. */
  #dials = 0;
  /** Whether open connections keep the process alive. */
  #isKept = true;
  /** Who waits for connections to be closed, or to reach the server. */
  #waiting: (() => void)[] = [];

  constructor(innerPort: number, policy: Policy<BunNativeSocket>) {
    this.#innerPort = innerPort;
    this.#gate = this.admitBy(policy);
  }

  /** Lets connections in by a policy from now on, with counts of their own. */
  admitBy(policy: Policy<BunNativeSocket>): Gate<BunNativeSocket> {
    const gate = new Gate(policy, false);
    gate.waits.leaveSignal(); // it stops the server, which closes what is pending
    this.#gates.push(gate);
    return this.#gate = gate;
  }

  /** Counts of the connections. */
  get stats(): ListenerStats {
    return this.#gate.stats;
  }

  /** Fires when this is stopped. */
  get stopping(): AbortSignal {
    return this.#stopping.signal;
  }

  /** Where it listens, as `Bun.serve` shows it; `null` once it is stopped. */
  get address(): { port: number } | null {
    const address = { port: 0 };
    this.#listener?.getsockname(address);
    return this.#listener === undefined ? null : address;
  }

  /** Begins to listen; throws like `Bun.listen`. */
  listen(place: ListenPlace): void {
    const handlers: BunHandlers<FrontSocket> = {
      open: (socket) => this.#begin(socket),
      data: (socket, payload) => socket.data.sent(payload),
      drain: (socket) => socket.data.clientDrained(),
      end: (socket) => socket.data.clientEnded(),
      close: (socket) => socket.data.clientClosed(),
    };
    this.#listener = bun().listen<FrontSocket>({
      ...place,
      allowHalfOpen: true,
      socket: {
        ...laterHandlers(handlers),
        open: (socket) => {
          if (!this.#isKept) socket.unref();
          new BunConn(socket, handlers, this.#gate).begin();
        },
      },
    });
    this.keepAlive(this.#isKept);
  }

  #begin(socket: FrontSocket): void {
    const conn = connOf(socket);
    if (conn === undefined) return socket.terminate();
    const link = new HttpLink(this, socket, conn);
    socket.data = link;
    this.#open.add(link);
    this.dial(link);
  }

  dial(link: HttpLink): void {
    this.#dials++;
    bun().connect({
      hostname: INNER_HOST,
      port: this.#innerPort,
      allowHalfOpen: true,
      data: link,
      socket: DIAL_HANDLERS,
    }).then(() => this.#dialled(), (cause) => {
      this.#dialled();
      link.failed();
      this.#gate.report(dialError(link, cause));
    });
  }

  #dialled(): void {
    this.#dials--;
    this.#wake();
  }

  opened(link: HttpLink): void {
    if (!this.#isKept) link.keepAlive(false);
  }

  forget(link: HttpLink): void {
    this.#open.delete(link);
    this.#wake();
  }

  /** Says whether the listener and the open connections keep the process alive. */
  keepAlive(isKept: boolean): void {
    this.#isKept = isKept;
    this.#listener?.[isKept ? "ref" : "unref"]();
    for (const link of this.#open) link.keepAlive(isKept);
  }

  /**
   * Stops listening, closes the connections that wait for their headers, and with
   * `closesActive` all others.
   */
  stop(closesActive: boolean): void {
    this.#listener?.stop(closesActive);
    this.#listener = undefined;
    this.#stopping.abort();
    for (const { waits } of this.#gates) waits.abort();
  }

  /** Waits until each connection has reached the server. */
  dialled(): Promise<void> {
    return this.#until(() => this.#dials === 0);
  }

  /** Waits until all connections are closed. */
  closed(): Promise<void> {
    return this.#until(() => this.#open.size === 0);
  }

  async #until(isSo: () => boolean): Promise<void> {
    while (!isSo()) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}

/** A connection was let in, but does not reach the server. */
function dialError(link: HttpLink, cause: unknown): ProxyProtocolError {
  const reason = cause instanceof Error && "code" in cause ? cause.code : cause;
  return new ProxyProtocolError(
    `Cannot serve the connection: cannot connect to the inner server: ${reason}`,
    "io",
    { hop: link.facts.hop, cause },
  );
}
