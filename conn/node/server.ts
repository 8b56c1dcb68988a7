import { Gate } from "../admission/gate.ts";
import { acceptSocket, peerOf, release } from "./peer.ts";
import { withoutLazy } from "../admission/policy.ts";
import type { NodeListenerOptions, NodeSocket } from "./types.ts";
import type { ListenerStats } from "../types.ts";

/** Lets sockets in to a server, one by one, once their header is in. */
export class NodeDoor {
  readonly #gate: Gate;
  readonly #verify: NodeListenerOptions["verify"];
  readonly #deliver: (socket: NodeSocket) => void;

  /** Reads the options of a server; throws like {@link Gate}. */
  constructor(
    options: NodeListenerOptions,
    deliver: (socket: NodeSocket) => void,
  ) {
    const { verify, ...rest } = withoutLazy({ ...options });
    this.#gate = new Gate(rest);
    this.#gate.waits.leaveSignal(); // it closes the server, which closes what is pending
    this.#verify = verify;
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
    const gate = this.#gate;
    const hop = peerOf(socket);
    if (!gate.enter(hop)) {
      socket.destroy();
      return;
    }
    acceptSocket(socket, hop, gate, this.#verify, (info) => {
      gate.accept(info);
      const hasEnded = socket.readableEnded;
      this.#deliver(socket);
      release(socket);
      // The peer ended its direction while `verify` was asked, before anybody listened.
      if (hasEnded) socket.emit("end");
    }, (error) => gate.refuse(error));
  }

  /** Closes the sockets whose header is pending. */
  closePending(): void {
    this.#gate.waits.abort();
  }
}
