/** How servers end, and what that means for their clients. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { callsOfDeno } from "../../../../conn/deno/calls.ts";
import { within } from "../../../_within.ts";
import { Client, request, serve, until, withInner } from "./_kit.ts";
import { run } from "./_program.ts";

/** A handler that answers when it is told to. */
function held() {
  const calls: PromiseWithResolvers<Response>[] = [];
  return {
    calls,
    handler: (): Promise<Response> => {
      const call = Promise.withResolvers<Response>();
      calls.push(call);
      return call.promise;
    },
  };
}

Deno.test("shutdown() answers what has begun, closes what is idle and accepts nothing new", async () => {
  const { calls, handler } = held();
  const server = serve(handler);
  using idle = await Client.dial(server);
  await idle.send(request("/"));
  await until("called", () => calls.length === 1);
  calls[0]?.resolve(new Response("first"));
  assertEquals((await idle.answer()).body, "first");
  using busy = await Client.dial(server);
  await busy.send(request("/"));
  using silent = await Client.dial(server, "");
  await until("called", () => calls.length === 2);
  const ending = server.shutdown();
  assertEquals(await silent.rest(), "");
  assertEquals(await idle.rest(), "");
  await assertRejects(() => Client.dial(server), Deno.errors.ConnectionRefused);
  let isOver = false;
  ending.then(() => isOver = true);
  await new Promise((resolve) => setTimeout(resolve, 20));
  assertEquals(isOver, false);
  calls[1]?.resolve(new Response("last"));
  assertEquals((await busy.answer()).body, "last");
  assertEquals(await busy.rest(), "");
  busy[Symbol.dispose]();
  await within(ending, "shutdown");
  await within(server.finished, "finished");
  await server.shutdown(); // again does nothing
});

Deno.test("a server is shut down at the end of an await using block", async () => {
  let finished: Promise<void>;
  {
    await using server = serve(() => new Response("hello"));
    using client = await Client.dial(server);
    await client.ask("/");
    finished = server.finished;
  }
  await within(finished, "finished");
});

Deno.test("a server ends before its first connection, and while one is dialling", async () => {
  await serve(() => new Response()).shutdown();
  for (let i = 0; i < 20; i++) {
    const server = serve(() => new Response("hello"));
    const dialling = Client.dial(server).catch(() => undefined);
    for (let turn = 0; turn < i; turn++) await Promise.resolve();
    if (i % 2 === 0) await new Promise((resolve) => setTimeout(resolve));
    await within(server.shutdown(), "shutdown");
    (await dialling)?.[Symbol.dispose]();
  }
});

Deno.test("signal closes all connections at once", async () => {
  const { calls, handler } = held();
  const ending = new AbortController();
  const server = serve(handler, { signal: ending.signal });
  using busy = await Client.dial(server);
  await busy.send(request("/"));
  await until("called", () => calls.length === 1);
  using pending = await Client.dial(server, "");
  await until("pending", () => server.stats.pending === 1);
  const start = performance.now();
  ending.abort();
  assertEquals(await busy.rest(), "");
  assertEquals(await pending.rest(), "");
  await within(server.finished, "finished");
  assert(performance.now() - start < 900, "waited for the clients");
  await assertRejects(() => Client.dial(server), Deno.errors.ConnectionRefused);
  calls[0]?.resolve(new Response());
});

Deno.test("signal that has fired serves nobody", async () => {
  const server = serve(() => new Response(), { signal: AbortSignal.abort() });
  await within(server.finished, "finished");
});

Deno.test("signal ends a shutdown that waits", async () => {
  const { calls, handler } = held();
  const ending = new AbortController();
  const server = serve(handler, { signal: ending.signal });
  using busy = await Client.dial(server);
  await busy.send(request("/"));
  await until("called", () => calls.length === 1);
  const shutdown = server.shutdown();
  await new Promise((resolve) => setTimeout(resolve, 50));
  ending.abort();
  assertEquals(await busy.rest(), "");
  await within(shutdown, "shutdown");
  calls[0]?.resolve(new Response());
});

Deno.test("a server ends when its internal server has", async () => {
  const { opened: server, servers } = withInner(() =>
    serve(() => new Response())
  );
  await servers[0]?.shutdown();
  await within(server.finished, "finished");
  await assertRejects(() => Client.dial(server), Deno.errors.ConnectionRefused);
});

Deno.test("the internal server ends after whoever is connecting to it", async () => {
  const calls = callsOfDeno();
  const { connect } = calls;
  const { opened: server, servers } = withInner(() =>
    serve(() => new Response())
  );
  using _first = await Client.dial(server);
  await until("accepted", () => server.stats.accepted === 1);
  const [port] = servers.map(({ addr }) => addr.port);
  let isSlow = false;
  const slowly = async (options: Deno.ConnectOptions) => {
    if (options.port === port) {
      isSlow = true;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    return await connect(options);
  };
  using _second = await Client.dial(server);
  Reflect.set(calls, "connect", slowly);
  try {
    await until("connecting", () => isSlow);
    await within(server.shutdown(), "shutdown");
  } finally {
    calls.connect = connect;
  }
  assertEquals(server.stats.rejected, {});
});

Deno.test("serveHttp() calls what Deno had when it was loaded", async () => {
  const { code, stdout, stderr } = await run(
    `import { Client, serve } from "KIT";
     for (const name of ["serve", "listen"]) {
       Deno[name] = () => { throw new Error(name); };
     }
     const server = serve(() => new Response("hello"));
     const client = await Client.dial(server);
     console.log((await client.ask("/")).body);
     client.conn.close();
     await server.shutdown();`,
  );
  assertEquals([code, stdout + stderr], [0, "hello\n"]);
});

Deno.test("functions of a server need no this", async () => {
  const { ref, unref, shutdown, finished } = serve(() => new Response());
  unref();
  ref();
  await shutdown();
  await finished;
});

Deno.test("unref() lets the process end, with connections or without", async () => {
  for (
    const lines of [
      `server.unref();`,
      `const client = await Client.dial(server); await client.ask("/");
       client.conn.unref(); client.conn.read(new Uint8Array(1)); server.unref();`,
      `server.unref(); const client = await Client.dial(server);
       await client.ask("/"); client.conn.unref();`,
    ]
  ) {
    const { code, stdout, stderr } = await run(
      `import { Client, serve } from "KIT";
       const server = serve(() => new Response("hello")); ${lines}
       console.log("unref");`,
    );
    assertEquals([code, stdout + stderr], [0, "unref\n"]);
  }
});

Deno.test("ref() keeps the process alive again, until shutdown", async () => {
  const { code, stdout, stderr } = await run(
    `import { Client, serve } from "KIT";
     const server = serve(() => new Response("hello"));
     server.unref(); server.ref();
     const timer = setTimeout(async () => {
       console.log("alive");
       await server.shutdown();
     }, 100);
     Deno.unrefTimer(timer);`,
  );
  assertEquals([code, stdout + stderr], [0, "alive\n"]);
});

Deno.test("a process ends after shutdown, also if clients stay", async () => {
  const { code, stdout, stderr } = await run(
    `import { Client, serve } from "KIT";
     const server = serve(() => new Response("hello"));
     const client = await Client.dial(server); await client.ask("/");
     await server.shutdown(); console.log("over");`,
  );
  assertEquals([code, stdout + stderr], [0, "over\n"]);
});
