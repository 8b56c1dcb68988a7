/** The calls of Deno that serving is made of. */
export interface Calls {
  serve: typeof Deno.serve;
  listen: typeof Deno.listen;
  connect: typeof Deno.connect;
}

/**
 * As they were when this was loaded first, by whichever copy of this package: a
 * program may put others in their place, such as a `Deno.serve` that calls
 * `serveHttp`, and `./register` does.
 */
const CALLS: unique symbol = Symbol.for("@edgewire/proxy-protocol/deno calls");

interface Holder {
  [CALLS]?: Calls;
}

const holder: typeof globalThis & Holder = globalThis;
if ("Deno" in globalThis) {
  const { serve, listen, connect } = Deno;
  holder[CALLS] ??= { serve, listen, connect };
}

/**
 * Returns the calls of Deno.
 *
 * @throws {TypeError} on any other runtime.
 */
export function callsOfDeno(): Calls {
  const calls = holder[CALLS];
  if (calls !== undefined) return calls;
  throw new TypeError(
    "Cannot serve: serveHttp() of @edgewire/proxy-protocol/deno needs Deno; use /bun or /node",
  );
}
