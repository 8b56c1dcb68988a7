import { Gate } from "./_gate.ts";
import { acceptSocket, peerOf } from "./_node_accept.ts";
import type { NodeListenerOptions, NodeSocket } from "./_node_types.ts";
import { toRefusal } from "./_refusal.ts";
import type { ListenerStats } from "./types.ts";

/** Lets sockets in to a server, one by one, once their header is in. */
export class NodeDoor {
  readonly #gate: Gate;
  readonly #verify: NodeListenerOptions["verify"];
  readonly #deliver: (socket: NodeSocket) => void;
  #closing = new AbortController();
  #signal: AbortSignal;

  /** Reads the options of a server; throws like {@link Gate}. */
  constructor(
    { verify, ...options }: NodeListenerOptions,
    deliver: (socket: NodeSocket) => void,
  ) {
    this.#gate = new Gate(options);
    this.#verify = verify;
    this.#deliver = deliver;
    this.#signal = this.#limit();
  }

  get stats(): ListenerStats {
    return this.#gate.stats;
  }

  /** What closes a pending socket: the user's signal and {@link closePending}. */
  #limit(): AbortSignal {
    const { signal } = this.#gate.policy;
    const closing = this.#closing.signal;
    return signal ? AbortSignal.any([signal, closing]) : closing;
  }

  /**
   * Reads the header of a socket and hands the socket on. What a listener
   * throws then is not caught here: it ends the process, as without a proxy.
   */
  async admit(socket: NodeSocket): Promise<void> {
    if (!this.#gate.enter(peerOf(socket))) {
      socket.destroy();
      return;
    }
    try {
      const policy = { ...this.#gate.policy, signal: this.#signal };
      this.#gate.accept(await acceptSocket(socket, policy, this.#verify));
    } catch (error) {
      this.#gate.refuse(toRefusal(error));
      return;
    }
    const hasEnded = socket.readableEnded;
    this.#deliver(socket);
    // The peer ended its direction while `verify` was asked, before anybody listened.
    if (hasEnded) socket.emit("end");
  }

  /** Closes the sockets whose header is pending. */
  closePending(): void {
    this.#closing.abort();
    this.#closing = new AbortController();
    this.#signal = this.#limit();
  }
}
