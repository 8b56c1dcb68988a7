import { factsOf } from "../../_facts.ts";
import { clientOf } from "./client.ts";
import type { HttpFront } from "./front.ts";
import type { Guard } from "./guard.ts";
import type { InnerServer } from "./inner_server.ts";
import type { Place } from "./place.ts";
import type { Upgrades } from "./upgrades.ts";

/** What a server is covered with. */
export interface Cover {
  readonly inner: InnerServer;
  readonly front: HttpFront;
  readonly guard: Guard;
  readonly upgrades: Upgrades;
  readonly place: Place;
  /** As the options say. */
  readonly id: string;
  /** Uses new options. */
  reload(options: object): void;
}

/**
 * Covers the members of a native server that would show the inner listener, or
 * clients of the loopback interface. It defines own properties, so handlers,
 * frameworks and the user have the same object.
 */
export function coverServer(server: object, cover: Cover): () => void {
  const { inner, front, guard, upgrades, place, id } = cover;
  const stop = async (closesActive = false): Promise<void> => {
    front.stop(closesActive);
    if (!closesActive) await front.dialled();
    await Promise.all([inner.stop(closesActive), front.closed()]);
  };
  const portNow = () => front.address?.port ?? 0;
  let url: URL | undefined;
  let address: unknown;
  const keepAlive = (isKept: boolean) => {
    inner.keepAlive(isKept);
    front.keepAlive(isKept);
    return server;
  };
  define(server, {
    requestIP(request: Request) {
      const facts = factsOf(request);
      return facts === undefined ? null : clientOf(facts);
    },
    upgrade: (request: Request, ...options: unknown[]) =>
      upgrades.run(request, () => inner.upgrade(request, ...options)),
    fetch: (request: Request | string) =>
      guard.call(() => inner.fetch(request)),
    reload(options: object) {
      cover.reload(options);
      return server;
    },
    ref: () => keepAlive(true),
    unref: () => keepAlive(false),
    stop,
    [Symbol.dispose]: () => void stop(true),
    get port() {
      return place.unix === undefined ? portNow() : undefined;
    },
    get hostname() {
      return place.unix === undefined ? place.hostname : undefined;
    },
    // The first value is kept, as in the native server.
    get url() {
      return url ??= new URL(urlOf(place, inner.protocol, portNow()));
    },
    get address() {
      return address ??= place.unix ?? front.address;
    },
    get id() {
      return id;
    },
  });
  return () => void stop();
}

/** Defines properties like those of the runtime, whose methods can be replaced. */
function define(server: object, members: object): void {
  for (const name of Reflect.ownKeys(members)) {
    const member = Object.getOwnPropertyDescriptor(members, name);
    if (member) Object.defineProperty(server, name, member);
  }
}

function urlOf(
  { unix, hostname }: Place,
  protocol: string,
  port: number,
): string {
  if (unix !== undefined) return `unix://${unix}`;
  const host = hostname.includes(":") ? `[${hostname}]` : hostname;
  return `${protocol}://${host}:${port}/`;
}
