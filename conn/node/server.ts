import type { ListenerStats } from "../types.ts";
import { Gate } from "../admission/gate.ts";
import { readOptions, withoutLazy } from "../admission/policy.ts";
import { NodePeer, release } from "./peer.ts";
import type { NodeListenerOptions, NodeSocket } from "./types.ts";

/** Lets sockets in to a server, one by one, once their header has come. */
export class NodeDoor {
  readonly #gate: Gate<NodeSocket>;
  readonly #deliver: (socket: NodeSocket) => void;

  /** Reads the options of a server; throws like {@link readOptions}. */
  constructor(
    options: NodeListenerOptions,
    deliver: (socket: NodeSocket) => void,
  ) {
    this.#gate = new Gate(readOptions(withoutLazy(options)), false);
    this.#gate.waits.leaveSignal(); // it closes the server, which closes what is pending
    this.#deliver = deliver;
  }

  get stats(): ListenerStats {
    return this.#gate.stats;
  }

  /**
   * Reads the header of a socket and hands the socket on. What a listener
   * throws then is not caught here: it ends the process, as without a proxy.
   */
  admit(socket: NodeSocket): void {
    new NodePeer(socket, this.#gate, () => {
      const hasEnded = socket.readableEnded;
      this.#deliver(socket);
      release(socket);
      // The peer ended its direction while `verify` was asked, before anybody listened.
      if (hasEnded) socket.emit("end");
    }).begin();
  }

  /** Closes the sockets whose header is pending. */
  closePending(): void {
    this.#gate.waits.abort();
  }
}
