/** Functions of Deno that serving uses. */
export interface Calls {
  serve: typeof Deno.serve;
  listen: typeof Deno.listen;
  connect: typeof Deno.connect;
}

/**
 * Original functions, from the time when the first copy of this package was loaded.
 * A program may replace them, for example by a `Deno.serve` that calls `serveHttp`,
 * as `./register` does.
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
