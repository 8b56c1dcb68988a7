import { type Known, knownOf, remember } from "./known.ts";
import { clientOf } from "./client.ts";

/** What is done with a WebSocket. */
interface WebSocketLike {
  terminate(): void;
}

/**
 * Gives WebSockets the client of their request. Nothing but the order of calls
 * links them: the runtime calls `open` within `upgrade()`.
 */
export class Upgrades {
  #known: Known | undefined;

  /** Calls `upgrade()` for a request. */
  run<T>(request: object, upgrade: () => T): T {
    this.#known = knownOf(request);
    try {
      return upgrade();
    } finally {
      this.#known = undefined;
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
    const known = this.#known;
    if (known === undefined) {
      ws.terminate(); // it came past all handlers
      return false;
    }
    remember(ws, known);
    Object.defineProperty(ws, "remoteAddress", {
      value: clientOf(known)?.address ?? "",
      enumerable: true,
      configurable: true,
    });
    return true;
  }
}
