import { Socket } from "node:net";
import { EMPTY } from "../../codec/internal.ts";
import type { ListenerStats } from "../types.ts";
import { Gate } from "../admission/gate.ts";
import type { Policy } from "../admission/policy.ts";
import { toRefusal } from "../admission/refusal.ts";
import { NodePeer, release } from "./peer.ts";
import type { NodeSocket } from "./types.ts";

/** Delivers each socket to a server after its header has arrived. */
export class NodeDoor {
  readonly #gate: Gate<NodeSocket>;
  readonly #deliver: (socket: NodeSocket) => void;

  /** Creates the door of one server. */
  constructor(
    policy: Policy<NodeSocket>,
    deliver: (socket: NodeSocket) => void,
  ) {
    this.#gate = new Gate(policy, false);
    this.#gate.waits.leaveSignal(); // it closes the server, which closes what is pending
    this.#deliver = deliver;
  }

  get stats(): ListenerStats {
    return this.#gate.stats;
  }

  /**
   * Reads the header of a socket and delivers the socket. An error that a listener
   * throws is not caught here. It ends the process, as without a proxy.
   * Nothing else comes past this: what is no socket is destroyed.
   */
  admit(socket: unknown): void {
    if (!isSocket(socket)) return this.#reject(socket);
    new NodePeer(socket, this.#gate, (_, flow) => {
      const hasEnded = socket.readableEnded;
      this.#deliver(socket);
      release(socket);
      // The peer ended its direction while `verify` was asked, before anybody listened.
      if (hasEnded) socket.emit("end");
      flow();
    }).begin();
  }

  #reject(stranger: unknown): void {
    if (typeof stranger === "object" && stranger !== null) {
      const destroy: unknown = Reflect.get(stranger, "destroy");
      if (typeof destroy === "function") Reflect.apply(destroy, stranger, []);
    }
    const error = new TypeError("no header can be read from it");
    this.#gate.report(toRefusal(error, undefined, EMPTY));
  }

  /** Closes the sockets whose header is pending. */
  closePending(): void {
    this.#gate.waits.abort();
  }
}

/** What is called of a socket. */
const METHODS = [
  ...["read", "push", "unshift", "resume"],
  ...["destroy", "on", "off", "emit"],
];

/** By its structure: streams of packages are no instances of the runtime's. */
function isSocket(value: unknown): value is NodeSocket {
  if (value instanceof Socket) return true;
  return typeof value === "object" && value !== null &&
    typeof Reflect.get(value, "readableLength") === "number" &&
    METHODS.every((name) => typeof Reflect.get(value, name) === "function");
}
