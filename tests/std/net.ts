/**
 * Stand-in for `@std/net` where JSR is out of reach: what the tests use of it.
 *
 * @module
 */

/** A port on which nobody listens; the preferred one when it is free. */
export function getAvailablePort(
  { preferredPort = 0 }: { preferredPort?: number } = {},
): number {
  try {
    using listener = Deno.listen({ port: preferredPort });
    return listener.addr.port;
  } catch (error) {
    if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    return getAvailablePort();
  }
}
