import type { Clock } from "../../admission/clock.ts";
import type { Facts } from "../../_facts.ts";
import type { DialEvents, NativeSocket } from "./runtime.ts";

declare function setImmediate(callback: () => void): unknown;

/**
 * How long a port is not used after a reset, in ms. The server keeps its end
 * until the event loop reports the reset, in its next turns.
 */
const QUARANTINE = 1000;

/** Handlers of a connection that only keeps its port in use. */
const HELD: DialEvents = {
  opened() {},
  received() {},
  drained() {},
  ended() {},
  closed() {},
};

/** A connection to the inner server. */
export interface Link {
  /** Facts of the client's connection. */
  readonly facts: Facts;
  /** Whether our end is open, as the system has it now. */
  readonly isOpen: boolean;
}

/**
 * Connections to the inner server by our local port, because a request shows nothing
 * else of its connection. An entry exists before the first byte is sent, and until
 * our end is closed.
 *
 * After a reset the system gives the port to another process before the runtime
 * reports the reset. With 500 ports, 4 of 1000 local processes were served as a
 * client. So our end must be open when a request is dispatched. It was open, then,
 * when the server's end was asked for its peer. Two open ends with the same ports
 * belong to one connection.
 */
export class Links {
  readonly #byPort = new Map<number, Link>();
  readonly #quarantined = new Set<number>();
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Finds the open connection from a port, which the server has just returned. */
  get(port: number): Link | undefined {
    const link = this.#byPort.get(port);
    return link?.isOpen ? link : undefined;
  }

  /** Whether a port may still be that of an earlier connection to the server. */
  isQuarantined(port: number): boolean {
    return this.#quarantined.has(port);
  }

  /** Adds a connection. */
  add(port: number, link: Link): void {
    this.#byPort.set(port, link);
  }

  /** Removes a connection, before our end is closed. */
  remove(port: number, link: Link): void {
    if (this.#byPort.get(port) === link) this.#byPort.delete(port);
  }

  /**
   * Removes a connection that is to be reset. The server has not closed its own
   * end: it could still read a request from there when the port has a new owner.
   */
  quarantine(port: number, link: Link): void {
    this.remove(port, link);
    this.#quarantined.add(port);
    // After a turn that has blocked the loop, the timer is called before the server is.
    const release = () => void this.#quarantined.delete(port);
    const wait = () => void setImmediate(() => setImmediate(release));
    this.#clock.start(wait, QUARANTINE, false);
  }

  /** Keeps a connection, of which nothing was sent, while its port is quarantined. */
  hold(target: NativeSocket<DialEvents>): void {
    target.data = HELD;
    this.#clock.start(() => target.end(), QUARANTINE, false);
  }
}
