import { type Facts, factsOf, remember } from "../../_facts.ts";
import { clientOf } from "./client.ts";

/** A WebSocket: the member that is used. */
interface WebSocketLike {
  terminate(): void;
}

/**
 * Makes WebSockets show the client of their request. Only the order of calls links
 * them, because the runtime calls `open` within `upgrade()`.
 */
export class Upgrades {
  #facts: Facts | undefined;

  /** Calls `upgrade()` for a request. */
  run<T>(request: object, upgrade: () => T): T {
    this.#facts = factsOf(request);
    try {
      return upgrade();
    } finally {
      this.#facts = undefined;
    }
  }

  /** Wraps the handlers of WebSockets, and leaves all but `open` to their prototype. */
  wrap(handlers: object): object {
    const open: unknown = Reflect.get(handlers, "open");
    const opened = (ws: WebSocketLike): boolean => this.#opened(ws);
    return Object.create(handlers, {
      open: {
        enumerable: true,
        value(this: unknown, ws: WebSocketLike): unknown {
          if (!opened(ws) || typeof open !== "function") return;
          return Reflect.apply(open, this, [ws]);
        },
      },
    });
  }

  #opened(ws: WebSocketLike): boolean {
    const facts = this.#facts;
    if (facts === undefined) {
      ws.terminate(); // it came past all handlers
      return false;
    }
    remember(ws, facts);
    Object.defineProperty(ws, "remoteAddress", {
      value: clientOf(facts)?.address ?? "",
      enumerable: true,
      configurable: true,
    });
    return true;
  }
}
