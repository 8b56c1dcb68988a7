/**
 * What the documents the project started from describe, as their users would
 * build it: SmartProxy's chains, Prosody's ports, aiosmtpd's hook.
 */

import { assert, assertEquals } from "@std/assert";
import {
  type AcceptOptions,
  proxied,
  type ProxyProtocolError,
  relay,
  type RelayOptions,
  serve,
} from "../../mod.ts";
import { TRUST } from "./_loopback.ts";
import {
  CLIENT,
  dial,
  HEADER,
  listen,
  receive,
  receiveText,
  send,
} from "./_peers.ts";

/** A proxy that relays to the next hop. */
function hop(
  next: { addr: Deno.NetAddr },
  accepting: AcceptOptions,
  sending: RelayOptions,
) {
  const listener = proxied(listen(), accepting);
  const server = serve(
    listener,
    (conn) => relay(conn, () => dial(next), sending),
  );
  return { addr: listener.addr, server, stats: listener.stats };
}

Deno.test("a chain of three hops shows the backend the first client, and leaves nothing open", async () => {
  const seen: unknown[] = [];
  const listener = proxied(listen(), { trust: TRUST });
  const backend = serve(listener, async (conn) => {
    seen.push(conn.remoteAddr);
    await conn.pipeTo(conn.writable);
  });
  const inner = hop(backend, { trust: TRUST }, { send: 2 });
  const middle = hop(inner, { trust: TRUST }, { send: 1 });
  // The outer proxy trusts nobody: its clients are the internet.
  const outer = hop(middle, { trust: [], untrusted: "direct" }, { send: 2 });

  const clients = await Promise.all(
    Array.from({ length: 20 }, () => dial(outer)),
  );
  for (const [i, client] of clients.entries()) {
    await send(client, `message ${i}`);
    await client.closeWrite();
    assertEquals(await receiveText(client), `message ${i}`);
  }
  const sources = clients.map((client) => ({ ...client.localAddr }));
  const byPort = (a: unknown, b: unknown) =>
    JSON.stringify(a).localeCompare(JSON.stringify(b));
  assertEquals(seen.toSorted(byPort), sources.toSorted(byPort));
  for (const client of clients) client.close();

  for (const { server } of [outer, middle, inner]) await server.shutdown();
  await backend.shutdown();
  const active = [outer, middle, inner].map(({ server }) => server.active);
  assertEquals([...active, backend.active], [0, 0, 0, 0]);
  const counts = [outer, middle, inner].map(({ stats }) => stats.accepted);
  assertEquals([...counts, listener.stats.accepted], [20, 20, 20, 20]);
});

Deno.test("a forged header does not pass the outer hop of a chain", async () => {
  const listener = proxied(listen(), { trust: TRUST });
  const backend = serve(listener, async (conn) => {
    const address = "hostname" in conn.remoteAddr && conn.remoteAddr.hostname;
    await send(conn, `${address}\n`);
    await conn.pipeTo(conn.writable);
  });
  const outer = hop(backend, { trust: [], untrusted: "direct" }, { send: 2 });
  using client = await dial(outer, HEADER);
  await client.closeWrite();
  const answer = await receive(client);
  const text = new TextDecoder().decode(answer.subarray(0, 10));
  assertEquals(text, "127.0.0.1\n");
  assertEquals(answer.slice(10), HEADER);
  await outer.server.shutdown();
  await backend.shutdown();
});

Deno.test("a chain closes half-open connections where it is told to", async () => {
  const backendListener = listen();
  const inner = hop(backendListener, { trust: TRUST }, { halfOpenTimeout: 0 });
  const outer = hop(inner, { trust: [], untrusted: "direct" }, {
    send: 2,
    halfOpenTimeout: 0,
  });
  using client = await dial(outer, "x");
  using backend = await backendListener.accept();
  assertEquals(await backend.read(new Uint8Array(1)), 1);
  await client.closeWrite(); // the backend never answers this
  assertEquals((await receive(client)).length, 0);
  assertEquals((await receive(backend)).length, 0);
  await outer.server.shutdown();
  await inner.server.shutdown();
  backendListener.close();
});

Deno.test("ports map to services, and a port without one is dropped with a report", async () => {
  const reports: ProxyProtocolError[] = [];
  const ports = { c2s: listen(), s2s: listen(), unmapped: listen() };
  const services = new Map([
    [ports.c2s.addr.port, "c2s"],
    [ports.s2s.addr.port, "s2s"],
  ]);
  const servers = Object.values(ports).map((tcp) =>
    serve(
      proxied(tcp, {
        trust: TRUST,
        verify: () => services.has(tcp.addr.port),
        onReject: (error) => reports.push(error),
      }),
      async (conn) => {
        const service = services.get(tcp.addr.port);
        await send(conn, `${service} ${JSON.stringify(conn.remoteAddr)}`);
      },
    )
  );
  for (const service of ["c2s", "s2s"] as const) {
    using client = await dial(ports[service], HEADER);
    assertEquals(
      await receiveText(client),
      `${service} ${JSON.stringify(CLIENT.source)}`,
    );
  }
  using client = await dial(ports.unmapped, HEADER);
  assertEquals((await receive(client)).length, 0);
  assertEquals(reports.map(({ code }) => code), ["verify"]);
  for (const server of servers) await server.shutdown();
});

Deno.test("a verify hook sees the header and the hop, and refuses before a word is said", async () => {
  const calls: unknown[] = [];
  const listener = proxied(listen(), {
    trust: TRUST,
    verify: (info, conn) => {
      calls.push([info.source, conn.hopAddr]);
      return false;
    },
  });
  const server = serve(listener, (conn) => send(conn, "220 hello\r\n"));
  using client = await dial(listener, HEADER);
  assertEquals((await receive(client)).length, 0);
  assertEquals(calls, [[CLIENT.source, { ...client.localAddr }]]);
  assertEquals(listener.stats.rejected, { verify: 1 });
  await server.shutdown();
  assert(listener.stats.accepted === 0);
});
