/**
 * A server of HTTP behind those receivers that only pass the address on.
 *
 * @module
 */

import type { Receiving } from "./_receiver.ts";
import { type Plan, startPlan } from "./_start.ts";

/** Starts a server in front of one that says whom it was told, in a field of the request. */
export async function startBefore(
  field: string,
  plan: (upstreamPort: number) => Plan,
): Promise<Receiving> {
  await using opened = new AsyncDisposableStack();
  const upstream = opened.use(Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    ({ headers }) => new Response(`src=${headers.get(field)}\n`),
  ));
  const receiving = opened.use(await startPlan(plan(upstream.addr.port)));
  const ends = opened.move();
  return {
    probe: receiving.probe,
    [Symbol.asyncDispose]: () => ends.disposeAsync(),
  };
}
