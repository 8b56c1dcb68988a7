import { type Facts, remember } from "../../_facts.ts";
import { INNER_HOST } from "./front.ts";
import type { Links } from "./links.ts";
import type { BunSocketAddress } from "./types.ts";

/** A handler of HTTP requests. */
export type Handler = (
  this: unknown,
  request: Request,
  server: unknown,
) => unknown;

/** Where requests come from. */
export interface Origins {
  /** The connections of our own. */
  readonly links: Links;
  /** The address of a request's connection, as the inner server has it. */
  addressOf(request: Request): BunSocketAddress | null;
}

/**
 * Calls handlers only for requests of our connections. A process that connects to
 * the inner server itself is answered 403.
 */
export class Guard {
  /**
   * Origins of requests. Set them before the first request. A server is created with
   * its handlers, so they are not known earlier.
   */
  origins: Origins | undefined;
  /** Whether the next call is by `server.fetch()`, which has no connection. */
  #isCalled = false;

  /** Wraps a handler. */
  wrap(handler: Handler): Handler {
    const isAllowed = (request: Request) => this.#isAllowed(request);
    return function (request, server) {
      return isAllowed(request)
        ? handler.call(this, request, server)
        : forbidden();
    };
  }

  /** Calls a handler, which is one of these, without a connection. */
  call<T>(work: () => T): T {
    this.#isCalled = true;
    try {
      return work();
    } finally {
      this.#isCalled = false;
    }
  }

  /**
   * Finds the connection of a request and remembers it with the request, because the
   * port may have another owner before the request is answered.
   */
  #isAllowed(request: Request): boolean {
    if (this.#isCalled) {
      this.#isCalled = false;
      return true;
    }
    const facts = this.#find(request);
    if (facts === undefined) return false;
    remember(request, facts);
    return true;
  }

  #find(request: Request): Facts | undefined {
    const { addressOf, links } = this.origins ?? {};
    const at = addressOf?.(request);
    return at?.address === INNER_HOST ? links?.get(at.port)?.facts : undefined;
  }
}

function forbidden(): Response {
  return new Response(null, {
    status: 403,
    headers: { connection: "close" },
  });
}
