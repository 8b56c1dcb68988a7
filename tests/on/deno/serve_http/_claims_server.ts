/**
 * A server whose requests say whose they are, by itself. It prints its port and
 * that of the internal server; at the end of its input it prints what it saw.
 *
 * @module
 */

import { Judge } from "./_claims.ts";
import { serve, withInner } from "./_kit.ts";

const judge = new Judge();
const { opened: server, servers } = withInner(() =>
  serve(judge.handler, {
    proxy: { trust: "any", maxPending: 10_000, timeout: Infinity },
  })
);
console.log(JSON.stringify([server.addr.port, servers[0]?.addr.port]));
for await (const _bytes of Deno.stdin.readable);
await server.shutdown();
const { judged, wrong } = judge;
const { accepted, rejected } = server.stats;
console.log(JSON.stringify({ judged, wrong, accepted, rejected }));
