import { clearTimeout, setTimeout } from "node:timers";

/** A connection to a backend. */
interface IdleSocket {
  destroy(): unknown;
}

/** Owner of a connection, and the timer that ends it. */
interface Idle {
  owner: object;
  timer: ReturnType<typeof setTimeout> | undefined;
}

/** Limits the number and the age of connections that no request uses. */
export class IdleSockets {
  readonly #most: number;
  readonly #timeout: number;
  /** Idle connections, the longest idle first. */
  readonly #idle = new Map<IdleSocket, Idle>();

  /** Allows `most` connections at once, each for at most `timeout` ms. */
  constructor(most: number, timeout: number) {
    this.#most = most;
    this.#timeout = timeout;
  }

  /** Begins to count a connection. The one that has been idle longest makes room. */
  add(socket: IdleSocket, owner: object): void {
    const timer = this.#timeout === Infinity
      ? undefined
      : setTimeout(() => this.#end(socket), this.#timeout).unref();
    this.#idle.set(socket, { owner, timer });
    const [oldest] = this.#idle.keys();
    if (this.#idle.size > this.#most && oldest) this.#end(oldest);
  }

  /** Stops counting a connection that is closed or that a request uses. */
  remove(socket: IdleSocket): void {
    clearTimeout(this.#idle.get(socket)?.timer);
    this.#idle.delete(socket);
  }

  /** Closes the idle connections of one owner. */
  endAllOf(owner: object): void {
    for (const [socket, idle] of this.#idle) {
      if (idle.owner === owner) this.#end(socket);
    }
  }

  #end(socket: IdleSocket): void {
    this.remove(socket);
    socket.destroy();
  }
}
