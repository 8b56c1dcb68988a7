import { assert, assertEquals, assertRejects } from "@std/assert";
import { once } from "node:events";
import { connect } from "node:net";
import { proxied, serve } from "../../mod.ts";
import { within } from "../_within.ts";
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

Deno.test("serve() hands each connection to the handler and closes it afterwards", async () => {
  const server = serve(proxied(listen(), { trust: TRUST }), async (conn) => {
    await send(conn, JSON.stringify(conn.remoteAddr));
  });
  using client = await dial(server, HEADER);
  assertEquals(JSON.parse(await receiveText(client)), CLIENT.source);
  await server.shutdown();
  assertEquals(server.active, 0);
});

Deno.test("serve() goes on when a handler throws, and tells onError", async () => {
  const errors: unknown[] = [];
  let calls = 0;
  const server = serve(proxied(listen(), { trust: TRUST }), async (conn) => {
    if (calls++ === 0) throw new Error("first");
    await send(conn, "fine");
  }, {
    onError: (error) => {
      errors.push(error);
      throw new Error("observer");
    },
  });
  using first = await dial(server, HEADER);
  assertEquals((await receive(first)).length, 0);
  using second = await dial(server, HEADER);
  assertEquals(await receiveText(second), "fine");
  await server.shutdown();
  assertEquals(errors.length, 1);
  assert(errors[0] instanceof Error);
});

Deno.test("serve() survives an onError that rejects", async () => {
  const server = serve(
    proxied(listen(), { trust: TRUST }),
    () => Promise.reject(new Error("handler")),
    { onError: () => Promise.reject(new Error("observer")) },
  );
  using client = await dial(server, HEADER);
  assertEquals((await receive(client)).length, 0);
  await server.shutdown();
});

Deno.test("serve() whose listener has failed survives its signal", async () => {
  const listener = proxied(listen(), { trust: TRUST });
  const ending = new AbortController();
  const { promise: asked, resolve: ask } = Promise.withResolvers<void>();
  const server = serve(
    {
      async *[Symbol.asyncIterator]() {
        yield await listener.accept();
        ask();
        throw new Error("listener");
      },
      close: () => listener.close(),
      addr: listener.addr,
    },
    (conn) => conn.pipeTo(conn.writable),
    { signal: ending.signal },
  );
  using _client = await dial(server, HEADER);
  await asked;
  ending.abort();
  await assertRejects(() => server.finished, Error, "listener");
});

Deno.test("shutdown() stops listening and lets active connections finish", async () => {
  const server = serve(
    proxied(listen(), { trust: TRUST }),
    (conn) => conn.pipeTo(conn.writable),
  );
  using client = await dial(server, HEADER);
  await send(client, "a");
  assertEquals(await client.read(new Uint8Array(1)), 1);
  assertEquals(server.active, 1);
  const down = server.shutdown();
  await send(client, "b");
  await client.closeWrite();
  assertEquals(await receiveText(client), "b");
  await down;
  assertEquals(server.active, 0);
  let refused = false;
  await dial(server).then((conn) => conn.close(), () => refused = true);
  assert(refused);
});

Deno.test("abort() and a signal close every connection", async () => {
  const controller = new AbortController();
  for (const viaSignal of [false, true]) {
    const server = serve(
      proxied(listen(), { trust: TRUST }),
      (conn) => conn.pipeTo(conn.writable),
      { signal: controller.signal },
    );
    using client = await dial(server, HEADER);
    await send(client, "a");
    assertEquals(await client.read(new Uint8Array(1)), 1);
    if (viaSignal) controller.abort();
    else await server.abort();
    await server.finished;
    assertEquals((await receive(client)).length, 0);
    assertEquals(server.active, 0);
  }
});

Deno.test("serve() serves a plain listener, past peers that have reset before they were accepted", async () => {
  const listener = listen();
  for (let i = 0; i < 8; i++) {
    const socket = connect(listener.addr.port, "127.0.0.1");
    await once(socket, "connect");
    socket.resetAndDestroy();
    await once(socket, "close");
  }
  const addresses: Deno.NetAddr[] = [];
  const errors: unknown[] = [];
  const server = serve(listener, async (conn) => {
    conn.setNoDelay(true); // a Deno.TcpConn
    addresses.push({ ...conn.remoteAddr });
    await send(conn, "hello");
    conn.close(); // which is done once more afterwards
  }, { onError: (error) => errors.push(error) });
  const { port } = server.addr; // of a Deno.NetAddr
  assertEquals(port, listener.addr.port);
  using client = await dial(server);
  const received = within(receiveText(client), "the server to go on");
  assertEquals(await received, "hello");
  assertEquals(addresses, [{ ...client.localAddr }]);
  await server.shutdown();
  await server.abort();
  assertEquals(errors, []);
});

Deno.test("abort() closes the connections of a plain listener", async () => {
  const { promise: served, resolve: serving } = Promise.withResolvers<void>();
  const server = serve(listen(), async (conn) => {
    serving();
    await conn.readable.pipeTo(conn.writable);
  });
  using client = await dial(server);
  await served;
  await server.abort();
  assertEquals((await receive(client)).length, 0);
  assertEquals(server.active, 0);
});

Deno.test("serve() shuts down at the end of a block", async () => {
  const listener = proxied(listen(), { trust: TRUST });
  {
    await using server = serve(listener, (conn) => send(conn, "x"));
    using client = await dial(server, HEADER);
    assertEquals(await receiveText(client), "x");
  }
  assertEquals(listener.stats.accepted, 1);
});
