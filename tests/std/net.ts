/**
 * Stand-in for `@std/net` where JSR is out of reach.
 *
 * @module
 */

export function getAvailablePort(): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  return port;
}
