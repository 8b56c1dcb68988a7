import type { Address } from "../../codec/mod.ts";
import { serveHttp } from "../deno.ts";
import type { DenoHandler } from "../deno/types.ts";
import { replace } from "./replace.ts";
import { proxied } from "../proxied.ts";
import { ownAndInherited } from "./own_and_inherited.ts";
import { type Place, placeName, type Rules } from "./rules.ts";

/** Options of a listener that say where it listens. */
interface ListenOptions {
  readonly transport?: string;
  readonly port?: number;
  readonly path?: string;
  readonly cid?: number;
}

/** Options of `Deno.serve`. */
interface ServeOptions extends ListenOptions {
  readonly handler?: DenoHandler<Address>;
}

type ServeArgument = DenoHandler<Address> | ServeOptions | undefined;

/** Default port of `Deno.serve`. */
const DEFAULT_PORT = 8000;

/** Puts `Deno.serve`, `Deno.listen` and `Deno.listenTls` behind the PROXY protocol. */
export function coverDeno(rules: Rules): void {
  if (!("Deno" in globalThis)) return;
  const { serve } = Deno;

  replace(Deno, "serve", (...args: [ServeArgument, ServeArgument]) => {
    const given = args.find((argument) => typeof argument === "object") ?? {};
    const handler = args.find((argument) => typeof argument === "function") ??
      given.handler;
    const isKnown = !isVsock(given) && typeof handler === "function";
    if (!isKnown || !rules.covers(placeOf(given, DEFAULT_PORT))) {
      const server: Deno.HttpServer = Reflect.apply(serve, Deno, args);
      confirm("Deno.serve", server.addr, false);
      return server;
    }
    const proxy = rules.optionsOfHttp;
    const server = serveHttp({ ...ownAndInherited(given), proxy, handler });
    confirm("Deno.serve", server.addr, true); // DENO_SERVE_ADDRESS may change it
    rules.print("Deno.serve", placeName(server.addr));
    return server;
  });

  for (const name of ["listen", "listenTls"] as const) {
    const native: (options: never) => Deno.Listener = Deno[name];
    replace(Deno, name, (options: ListenOptions) => {
      const listener: Deno.Listener = Reflect.apply(native, Deno, [options]);
      if (isVsock(options) || !rules.covers(placeOf(options, 0))) {
        return listener;
      }
      rules.print(`Deno.${name}`, placeName(listener.addr));
      return proxied(
        listener,
        name === "listen" ? rules.options : rules.optionsOfHttp,
      );
    });
  }

  // Only with --unstable-net.
  if ("listenDatagram" in Deno) {
    const native = Deno.listenDatagram;
    replace(Deno, "listenDatagram", (options: ListenOptions) => {
      if (options?.transport === "udp") {
        rules.checkUdp("Deno.listenDatagram", options.port ?? 0);
      }
      return Reflect.apply(native, Deno, [options]);
    });
  }

  if ("QuicEndpoint" in Deno) {
    const QuicEndpoint = new Proxy(Deno.QuicEndpoint, {
      construct(target, args: [ListenOptions?], newTarget) {
        rules.checkUdp("Deno.QuicEndpoint", args[0]?.port ?? 0);
        return Reflect.construct(target, args, newTarget);
      },
    });
    Reflect.set(Deno, "QuicEndpoint", QuicEndpoint);
  }

  function confirm(what: string, addr: object, isCovered: boolean): void {
    const port: unknown = Reflect.get(addr, "port");
    if (typeof port === "number") rules.confirm(what, port, isCovered);
  }
}

/** Neither TCP nor UNIX. */
function isVsock(options: ListenOptions): boolean {
  return options?.cid !== undefined || options?.transport === "vsock";
}

function placeOf({ path, port }: ListenOptions, defaultPort: number): Place {
  return path === undefined ? port ?? defaultPort : "unix";
}
