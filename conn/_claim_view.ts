import { showEnds } from "./_ends.ts";
import { type Facts, remember } from "./_facts.ts";

/**
 * Returns a view of a socket of Bun or Node, for `verify` with `lazy`. It shows the
 * client that a header claims. The socket itself must not show that client to its
 * application before `verify` has agreed. All else is the socket's.
 */
export function claimView<S extends object>(socket: S, facts: Facts): S {
  const claimed = {};
  remember(claimed, facts);
  if (facts.shown !== undefined) showEnds(claimed, facts.shown);
  return new Proxy(socket, {
    get(target, name) {
      if (Object.hasOwn(claimed, name)) return Reflect.get(claimed, name);
      const value: unknown = Reflect.get(target, name);
      // Methods of a runtime work with nothing but their own sockets.
      const isMethod = typeof value === "function" && name !== "constructor";
      return isMethod ? value.bind(target) : value;
    },
    set: (target, name, value) => Reflect.set(target, name, value),
  });
}
