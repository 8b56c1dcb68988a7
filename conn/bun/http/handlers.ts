import type { Guard, Handler } from "./guard.ts";
import { guardRoutes } from "./routes.ts";
import type { Upgrades } from "./upgrades.ts";

/** Options of `Bun.serve` with handlers, or with content that is served without any. */
interface Handlers {
  readonly fetch?: unknown;
  readonly routes?: unknown;
  /** The former name of `routes`. */
  readonly static?: unknown;
  readonly websocket?: unknown;
}

/** Wraps the handlers of a server, again at each `reload`. */
export class HttpHandlers {
  readonly #guard: Guard;
  readonly #upgrades: Upgrades;
  #fetch: Handler = () => new Response(null, { status: 404 });

  constructor(guard: Guard, upgrades: Upgrades) {
    this.#guard = guard;
    this.#upgrades = upgrades;
  }

  /** Wraps the handlers among options. Other options stay unchanged. */
  wrap(options: Handlers & object): object {
    const { fetch, routes, static: former, websocket, ...others } = options;
    const given = routes ?? former;
    const pages = isObject(given) && !Array.isArray(given) ? given : undefined;
    if (typeof fetch === "function") {
      this.#fetch = function (request, server) {
        return Reflect.apply(fetch, this, [request, server]);
      };
    }
    const current = () => this.#fetch; // after a reload another one
    const fallback: Handler = function (request, server) {
      return current().call(this, request, server);
    };
    const isFetched = typeof fetch === "function" ||
      // Without `fetch`, Bun answers 404 if no route matches.
      (fetch === undefined && pages !== undefined);
    return {
      ...others,
      fetch: isFetched ? this.#guard.wrap(fallback) : fetch,
      // Bun ignores `routes` if it is an array, as an app of Hono has it.
      routes: pages === undefined
        ? given
        : guardRoutes(pages, this.#guard, fallback),
      websocket: isObject(websocket)
        ? this.#upgrades.wrap(websocket)
        : websocket,
    };
  }
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}
