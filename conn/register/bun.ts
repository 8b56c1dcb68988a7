import { Server as NetServer } from "node:net";
import { proxied, upgradeTls } from "../bun.ts";
import { Place as ServePlace } from "../bun/http/place.ts";
import { startHttp } from "../bun/http/serve.ts";
import type { BunPlainServer } from "../bun/http/types.ts";
import type { BunHandlers, BunSocket } from "../bun/types.ts";
import { override } from "../node/override.ts";
import { replace } from "./replace.ts";
import { ownAndInherited } from "./own_and_inherited.ts";
import { type Place, placeName, type Rules } from "./rules.ts";

/** A socket: the members for its handlers and its TLS. */
interface Socket extends BunSocket {
  upgradeTLS(
    options: TlsOptions,
  ): readonly [raw: unknown, tls: Socket] | undefined;
  reload(options: Reload): unknown;
}

/** Argument of `reload`, with the new handlers. */
interface Reload {
  readonly socket: Handlers;
}

/** Handlers, whose `open` does not receive the header. */
interface Handlers extends Omit<BunHandlers<Socket>, "open"> {
  open?(socket: Socket): unknown;
}

interface TlsOptions {
  readonly tls: unknown;
  readonly data: unknown;
  readonly socket: Handlers;
}

/** The options of `Bun.listen`. */
interface ListenOptions {
  readonly socket: Handlers;
  readonly port?: unknown;
  readonly unix?: unknown;
  readonly fd?: unknown;
  readonly tls?: unknown;
  readonly data?: unknown;
}

/** Listener that `Bun.listen` returns. */
interface Listener {
  reload(options: Reload): unknown;
}

/** Members of Bun that are covered. */
interface Runtime {
  serve(options: object): BunPlainServer;
  listen(options: ListenOptions): Listener;
  udpSocket(options: { port?: unknown }): unknown;
}

declare const Bun: Runtime;

/** Puts `Bun.serve` and `Bun.listen` behind the PROXY protocol. */
export function coverBun(rules: Rules): void {
  if (!("Bun" in globalThis)) return;
  // `node:net` and `node:http` of Bun also use these. Their servers are covered when
  // they listen.
  const { serve, listen, udpSocket } = Bun;

  replace(Bun, "serve", (options: object) => {
    if (!isObject(options) || "onNodeHTTPRequest" in options) {
      return serve(options);
    }
    const all = ownAndInherited(options);
    const { unix, port } = new ServePlace(all);
    if (!rules.covers(unix === undefined ? Number(port) : "unix")) {
      const server = serve(options);
      if (server.port !== undefined) {
        rules.confirm("Bun.serve", server.port, false);
      }
      return server;
    }
    const proxy = rules.optionsOfHttp;
    const server = startHttp<BunPlainServer>({ ...all, proxy });
    rules.print("Bun.serve", unix ?? placeName(server));
    return server;
  });

  replace(Bun, "listen", (options: ListenOptions) => {
    const isOfNode = isObject(options) && options.data instanceof NetServer;
    if (!isObject(options) || isOfNode || !rules.covers(placeOf(options))) {
      return listen(options);
    }
    const listener = listen(behind(options, rules));
    const { reload } = listener;
    override(listener, "reload", (next: Reload) =>
      // Or the new handlers would receive connections without a header.
      Reflect.apply(reload, listener, [
        behind({ ...options, socket: next.socket }, rules),
      ]));
    rules.print("Bun.listen", placeName(listener));
    return listener;
  });

  replace(Bun, "udpSocket", (options: { port?: unknown }) => {
    rules.checkUdp("A socket of UDP", Number(options?.port) || 0);
    return udpSocket(options);
  });
}

/** Returns the place where `Bun.listen` listens. */
function placeOf({ unix, fd, port }: ListenOptions): Place {
  if (typeof unix === "string") return "unix";
  return isGiven(fd) ? undefined : Number(port);
}

/** The options with handlers that are called when the header has arrived. TLS begins after it. */
function behind(options: ListenOptions, rules: Rules): ListenOptions {
  const { tls, ...plain } = options;
  const { socket, data } = options;
  if (!tls) return { ...options, socket: handlersBehind(socket, rules) };
  const upgrade: Handlers = {
    open(raw) {
      upgradeTls<TlsOptions, Socket>(raw, { tls, data, socket });
    },
  };
  return { ...plain, socket: proxied(upgrade, rules.optionsOfHttp) };
}

/**
 * Handlers that are called when the header has arrived. `reload` of a socket
 * replaces the handlers of the whole listener, so those are wrapped as well.
 */
function handlersBehind(handlers: Handlers, rules: Rules): Handlers {
  const wrapped: Handlers = Object.create(handlers, {
    open: {
      value(socket: Socket) {
        const { reload } = socket;
        override(
          socket,
          "reload",
          ({ socket: next }: Reload) =>
            Reflect.apply(reload, socket, [
              { socket: handlersBehind(next, rules) },
            ]),
        );
        return handlers.open?.call(socket, socket);
      },
    },
  });
  return proxied(wrapped, rules.options);
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null;
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}
