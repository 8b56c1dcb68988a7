import type { Address } from "../../codec/mod.ts";
import { partsOf } from "../_ends.ts";
import { factsAside } from "../_facts.ts";

/** Prototypes of sockets that show the client, by those of the runtime and by themselves. */
const SHOWING = new WeakMap<object, object>();

/**
 * Makes a socket show the ends that are known of it, in place of its own. They are
 * asked for when they are read: to set another prototype costs 0.2 us, six
 * properties 2, and few applications read more than one.
 */
export function showClient(socket: object): void {
  const own = prototypeOf(socket);
  if (own === undefined) return;
  let showing = SHOWING.get(own);
  if (showing === undefined) {
    showing = showingPrototype(own);
    SHOWING.set(own, showing).set(showing, showing);
  }
  Object.setPrototypeOf(socket, showing);
}

function prototypeOf(socket: object): object | undefined {
  const prototype: unknown = Object.getPrototypeOf(socket);
  return typeof prototype === "object" && prototype !== null
    ? prototype
    : undefined;
}

/** What sockets of Bun call each end, and its parts. */
const ENDS = [
  ["remote", "remoteAddr"],
  ["local", "localAddr"],
] as const;
const PARTS = [
  ["Address", "address"],
  ["Port", "port"],
  ["Family", "family"],
] as const;

function showingPrototype(own: object): object {
  const showing: object = Object.create(own);
  for (const [prefix, end] of ENDS) {
    for (const [suffix, part] of PARTS) {
      const name = prefix + suffix;
      Object.defineProperty(showing, name, {
        get(this: object): unknown {
          const shown: Address | undefined = factsAside(this)?.shown?.[end];
          return shown === undefined
            ? Reflect.get(own, name, this)
            : partsOf(shown)[part];
        },
        enumerable: true,
        configurable: true,
      });
    }
  }
  return showing;
}
