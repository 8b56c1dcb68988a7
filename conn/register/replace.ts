import { end } from "./rules.ts";

/**
 * Replaces a call of the runtime, and ends the program if the runtime does not let
 * it: what is listened with would not be behind the PROXY protocol.
 *
 * Assigned, not defined: on Bun these properties are writable and not configurable.
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
