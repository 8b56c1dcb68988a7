/** The calls of Deno that serving is made of. */
export interface Calls {
  serve: typeof Deno.serve;
  listen: typeof Deno.listen;
  connect: typeof Deno.connect;
}

/**
 * As they were when this was loaded: a program may put others in their place, such
 * as a `Deno.serve` that calls `serveHttp`.
 */
const CALLS: Calls | undefined = "Deno" in globalThis
  ? { serve: Deno.serve, listen: Deno.listen, connect: Deno.connect }
  : undefined;

/**
 * Returns the calls of Deno.
 *
 * @throws {TypeError} on any other runtime.
 */
export function callsOfDeno(): Calls {
  if (CALLS !== undefined) return CALLS;
  throw new TypeError(
    "Cannot serve: serveHttp() of @edgewire/proxy-protocol/deno needs Deno; use /bun or /node",
  );
}
