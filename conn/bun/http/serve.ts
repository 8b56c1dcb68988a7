import { quote } from "../../../codec/internal.ts";
import { type Policy, readOptions } from "../../admission/policy.ts";
import type { BunListenerOptions, BunNativeSocket } from "../types.ts";
import { coverServer } from "./cover.ts";
import { HttpFront, INNER_HOST } from "./front.ts";
import { Guard } from "./guard.ts";
import { HttpHandlers } from "./handlers.ts";
import { InnerServer } from "./inner_server.ts";
import { Place } from "./place.ts";
import { bun } from "./runtime.ts";
import type { BunHttpProxied } from "./types.ts";
import { Upgrades } from "./upgrades.ts";

/** Options that are read here, besides handlers. Bun reads the others. */
export interface ServeOptions {
  readonly proxy?: BunListenerOptions;
  readonly id?: unknown;
  readonly http3?: unknown;
  readonly unix?: unknown;
  readonly hostname?: unknown;
  readonly port?: unknown;
  readonly reusePort?: unknown;
  readonly ipv6Only?: unknown;
}

/** The front of each server. With `--hot` Bun returns an existing server. */
const FRONT: unique symbol = Symbol.for("@edgewire/proxy-protocol/bun front");

interface Holder {
  [FRONT]?: HttpFront;
}

/**
 * Serves HTTP behind the PROXY protocol. A native server listens on the loopback
 * interface. A front removes the headers and connects to it. The user sees only the
 * native server.
 */
export function startHttp<S extends object>(
  options: ServeOptions,
): S & BunHttpProxied {
  const policy = readPolicy(options);
  const place = new Place(options);
  const guard = new Guard();
  const upgrades = new Upgrades();
  const handlers = new HttpHandlers(guard, upgrades);
  const { id } = options;
  const toInner = (options: ServeOptions) => ({
    ...innerOptions(handlers.wrap(options)),
    // Or with `--hot`, Bun would treat all inner servers as the same server.
    id: id === null ? null : `proxied ${id || place.id}`,
  });
  const server: S & Holder = bun().serve<S>(toInner(options));
  const inner = new InnerServer(server);
  const earlier = server[FRONT];
  const front = earlier ?? new HttpFront(inner.port, policy);
  guard.origins = {
    links: front.links,
    addressOf: (request) => inner.requestIP(request),
  };
  if (earlier !== undefined) earlier.admitBy(policy);
  else {
    try {
      place.listenBy((place) => front.listen(place));
    } catch (error) {
      inner.stop(true);
      throw error;
    }
    server[FRONT] = front;
  }
  const stop = coverServer(server, {
    ...{ inner, front, guard, upgrades, place },
    id: typeof id === "string" ? id : "",
    reload(next: ServeOptions) {
      const policy = "proxy" in next ? readPolicy(next) : undefined;
      inner.reload(toInner(next));
      if (policy === undefined) return;
      front.admitBy(policy);
      show(policy);
    },
  });
  const show = ({ signal }: Policy<BunNativeSocket>) => {
    if (signal?.aborted) stop();
    signal?.addEventListener("abort", () => stop(), { signal: front.stopping });
    return Object.assign(server, { stats: front.stats });
  };
  return show(policy);
}

/** @throws {TypeError} for wrong options, and for `lazy`. */
function readPolicy({ proxy }: ServeOptions): Policy<BunNativeSocket> {
  if (typeof proxy !== "object" || proxy === null) {
    throw new TypeError(
      `Cannot read proxy: expected the options of proxied(), received ${
        quote(proxy)
      }`,
    );
  }
  if (proxy.lazy) {
    throw new TypeError(
      "Cannot read lazy: a server of HTTP does not speak first",
    );
  }
  return readOptions<BunNativeSocket>(proxy);
}

/** Returns the options of the inner server, without the place to listen. */
function innerOptions(options: ServeOptions): object {
  const { proxy: _proxy, http3, unix: _unix, ...others } = options;
  if (http3) {
    throw new TypeError(
      "Cannot serve HTTP/3: a PROXY header comes by TCP, set http3 to false",
    );
  }
  const { reusePort: _reusePort, ipv6Only: _ipv6Only, ...rest } = others;
  return { ...rest, hostname: INNER_HOST, port: 0 };
}
