import { clearTimeout, setTimeout } from "node:timers";

/** A connection to a backend. */
interface IdleSocket {
  destroy(): unknown;
}

/** Whose connection it is, and what ends it. */
interface Idle {
  owner: object;
  timer: ReturnType<typeof setTimeout> | undefined;
}

/** Bounds the connections that no request uses, in number and in time. */
export class IdleSockets {
  readonly #most: number;
  readonly #timeout: number;
  /** The longest idle first. */
  readonly #idle = new Map<IdleSocket, Idle>();

  /** `most` of them at once, each for at most `timeout` ms. */
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

  /** Stops counting a connection: a request uses it, or it is closed. */
  remove(socket: IdleSocket): void {
    clearTimeout(this.#idle.get(socket)?.timer);
    this.#idle.delete(socket);
  }

  /** Closes those of one owner. */
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
