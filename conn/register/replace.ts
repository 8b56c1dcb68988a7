import { end } from "./rules.ts";

/**
 * Replaces a function of the runtime. Ends the program if the runtime does not allow
 * it, because the listeners would not be behind the PROXY protocol.
 *
 * It assigns the property, because on Bun it is writable but not configurable.
 */
export function replace<A extends unknown[]>(
  runtime: object,
  name: string,
  call: (...args: A) => unknown,
): void {
  if (Reflect.set(runtime, name, call)) return;
  end(
    `Cannot replace ${name} of this runtime, to put it behind the PROXY protocol`,
  );
}
