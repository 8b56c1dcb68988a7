/** A request belongs to the header of the connection it came by, and to no other. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { connect } from "node:net";
import { once } from "node:events";
import { LONGEST_WAIT, within } from "../../../_within.ts";
import { buildFewPorts } from "../../_few_ports.ts";
import { TRUST } from "../../../conn/_loopback.ts";
import { type End, Judge, type Plan, playAll } from "./_claims.ts";
import { Client, HOSTNAME, request, serve, until, withInner } from "./_kit.ts";
import { start } from "./_program.ts";

const ENDS: readonly End[] = ["close", "fin", "reset"];

/** Lets so many be pending as there are clients, on a busy machine too. */
const PROXY = { trust: TRUST, maxPending: 10_000, timeout: LONGEST_WAIT };

Deno.test("serveHttp() tells 2000 clients at once apart, in pipelines and three lives", async () => {
  const judge = new Judge();
  await using server = serve(judge.handler, { proxy: PROXY });
  const plans = Array.from({ length: 4000 }, (_, i): Plan => ({
    index: i,
    requests: 1 + i % 8,
    end: ENDS[i % 5] ?? "close",
  }));
  await playAll(server.addr.port, plans, 2000, judge);
  assertEquals(judge.wrong, []);
  assertEquals(judge.lost, 0, JSON.stringify(server.stats));
  assert(judge.answered > 9000);
});

Deno.test("serveHttp() tells clients apart half of whom reset amid a request", async () => {
  const judge = new Judge();
  await using server = serve(judge.handler, { proxy: PROXY });
  const plans = Array.from({ length: 4000 }, (_, i): Plan => ({
    index: i,
    requests: 1 + i % 3,
    end: i % 2 === 0 ? "reset" : "close",
    isHeld: i % 10 === 0,
  }));
  await playAll(server.addr.port, plans, 200, judge);
  assertEquals(judge.wrong, []);
  assertEquals(judge.lost, 0, JSON.stringify(server.stats));
  assert(judge.judged > 4000);
});

Deno.test("serveHttp() tells clients apart with 50 ports, among strangers at its internal server", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const library = await buildFewPorts(folder);
    if (library === undefined) return;
    const env = { LD_PRELOAD: library };
    const server = await start("_claims_server.ts", [], env);
    const [port, innerPort]: number[] = JSON.parse(server.first);
    const strangers = await start("_strangers.ts", [String(innerPort)], {
      ...env,
      RESET: "1",
    });
    const judge = new Judge();
    const end = performance.now() + 5000;
    const plans = function* (): Generator<Plan> {
      for (let i = 0; performance.now() < end; i++) {
        yield {
          index: i,
          requests: 1 + i % 5,
          end: i % 2 === 0 ? "reset" : "close",
          isHeld: i % 7 === 0,
          isGarbage: i % 11 === 0,
        };
      }
    };
    await playAll(port ?? 0, plans(), 32, judge);
    const intrusions = Number(await strangers.finish());
    const seen = JSON.parse(await server.finish());
    assertEquals(judge.wrong, []);
    assertEquals(seen.wrong, []);
    assert(intrusions > 0, "no intrusions");
    assert(seen.judged > 0, "no requests");
    assert(seen.rejected.io > 0, "no lack of ports");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("serveHttp() answers 403 to whoever connects to its internal server", async () => {
  let calls = 0;
  const { opened, servers } = withInner(() =>
    serve(() => {
      calls++;
      return new Response("handled");
    })
  );
  await using _server = opened;
  const port = servers[0]?.addr.port ?? 0;
  using stranger = await Client.dial({ addr: { port } }, "");
  assertEquals((await stranger.ask("/")).status, 403);
  const upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\n" +
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n";
  assertEquals((await stranger.ask("/", { headers: upgrade })).status, 403);
  // A header does not help: the internal server knows none.
  using liar = await Client.dial({ addr: { port } });
  await liar.send(request("/"));
  assertStringIncludes(await liar.rest(), "HTTP/1.1 400");
  assertEquals(calls, 0);
});

Deno.test("serveHttp() answers 403 to the port of a client on another address of loopback", async () => {
  const callers: number[] = [];
  const { opened, servers } = withInner(() =>
    serve((request) => {
      callers.push(Number(new URL(request.url).searchParams.get("n")));
      return new Response("handled");
    })
  );
  await using server = opened;
  using client = await Client.dial(server);
  assertEquals((await client.ask("/?n=1")).body, "handled");
  const port = await ourPort(servers[0]?.addr.port ?? 0);
  for (const localAddress of ["127.0.0.2", "127.0.0.1"]) {
    const stranger = connect({
      host: HOSTNAME,
      port: servers[0]?.addr.port ?? 0,
      localAddress,
      localPort: port,
    });
    let received = "";
    stranger.on("data", (chunk) => received += chunk);
    const failed = once(stranger, "error").then(() => "failed");
    const opened = once(stranger, "connect").then(() => "connected");
    const outcome = await within(Promise.race([failed, opened]), "a stranger");
    if (localAddress === "127.0.0.1") assertEquals(outcome, "failed");
    if (outcome === "failed") continue;
    stranger.write(request("/?n=2"));
    await until("an answer", () => received.includes("\r\n\r\n"));
    assertStringIncludes(received, "HTTP/1.1 403");
    stranger.destroy();
    await once(stranger, "close");
  }
  assertEquals((await client.ask("/?n=3")).body, "handled");
  assertEquals(callers, [1, 3]);
});

/** The port by which the only client is known to an internal server. */
async function ourPort(innerPort: number): Promise<number> {
  const table = await Deno.readTextFile("/proc/net/tcp");
  const hex = innerPort.toString(16).toUpperCase().padStart(4, "0");
  const match = new RegExp(`:${hex} 0100007F:([0-9A-F]{4}) 01`).exec(table);
  return parseInt(match?.[1] ?? "", 16);
}
