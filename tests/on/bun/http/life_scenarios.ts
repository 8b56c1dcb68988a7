/** How servers, requests and their connections end, as with `Bun.serve`. */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import process from "node:process";
import { test } from "node:test";
import { type BunPlainServer, proxyInfo } from "../../../../conn/bun.ts";
import { Queue } from "../_client.ts";
import { filesAtRest, untilFiles } from "../_files.ts";
import {
  assertRefused,
  get,
  HttpClient,
  serve,
  TRUST,
  within,
} from "./_kit.ts";

/** A server of which each request waits until it is told to be answered. */
function waiting() {
  const requests = new Queue<(body: string) => void>();
  const fetch = () =>
    new Promise<Response>((resolve) =>
      requests.add((body) => resolve(new Response(body)))
    );
  return { fetch, next: () => requests.next("a request") };
}

test("serveHttp: stop() answers what is in flight, closes what is idle or pending, and refuses the rest", async () => {
  const { fetch, next } = waiting();
  await using served = serve({ fetch });
  using busy = await HttpClient.as(1, served.port);
  busy.request("/");
  const answer = await next();
  using idle = await HttpClient.as(2, served.port);
  idle.request("/");
  (await next())("idle now");
  assert.equal((await idle.answer()).body, "idle now");
  using pending = await HttpClient.dial(served.port);
  pending.send("PROXY");
  while (served.server.stats.pending === 0) await new Promise(setImmediate);
  let isStopped = false;
  const stopped = served.server.stop().then(() => isStopped = true);
  assert.equal(await idle.ended(), "");
  assert.equal(await pending.ended(), "");
  assert.equal((await served.rejects.next("aborted")).code, "aborted");
  await assert.rejects(HttpClient.dial(served.port), /ECONNREFUSED/);
  assert.equal(served.server.port, 0);
  assert.equal(isStopped, false);
  answer("answered");
  assert.equal((await busy.answer()).body, "answered");
  await busy.ended();
  await within(stopped, "stop()");
  await assert.rejects(HttpClient.dial(served.innerPort), /ECONNREFUSED/);
  await within(served.server.stop(), "stop() once more");
});

for (const how of ["stop(true)", "dispose", "signal"] as const) {
  test(`serveHttp: ${how} ends connections`, async () => {
    const files = await filesAtRest();
    const { fetch, next } = waiting();
    const closing = new AbortController();
    const served = serve({ fetch, proxy: { signal: closing.signal } });
    using busy = await HttpClient.as(1, served.port);
    busy.request("/");
    const answer = await next();
    using pending = await HttpClient.dial(served.port);
    await new Promise(setImmediate);
    if (how === "stop(true)") await within(served.server.stop(true), "stop");
    else if (how === "dispose") served.server[Symbol.dispose]();
    else closing.abort();
    assert.equal(await pending.ended(), "");
    if (how === "signal") { // it is stop(), which lets requests end
      answer("answered");
      assert.equal((await busy.answer()).body, "answered");
    }
    assert.equal(await busy.ended(), "");
    busy.socket.destroy();
    await assert.rejects(HttpClient.dial(served.port), /ECONNREFUSED/);
    pending.socket.destroy();
    await untilFiles(files);
  });
}

test("serveHttp: a signal that has fired already stops the server at once", () => {
  const signal = AbortSignal.abort();
  const { port } = serve({ fetch: () => new Response(), proxy: { signal } });
  assert.equal(port, 0);
});

test("serveHttp: reload replaces handlers, routes, and how connections are let in", async () => {
  const say = (text: string) => (request: Request, server: BunPlainServer) =>
    new Response(`${text} ${server.requestIP(request)?.address}`);
  await using served = serve({
    fetch: say("first"),
    routes: { "/route": say("first route") },
  });
  using client = await HttpClient.as(5, served.port);
  assert.equal((await client.get("/")).body, "first 10.0.0.5");
  const { stats } = served.server;
  assert.equal(served.server.reload({ fetch: say("second") }), served.server);
  assert.equal((await client.get("/")).body, "second 10.0.0.5");
  served.server.reload({
    routes: { "/route": say("second route"), "/static": new Response("s") },
  });
  assert.equal((await client.get("/route")).body, "second route 10.0.0.5");
  assert.equal((await client.get("/static")).body, "s");
  assert.equal((await client.get("/")).body, "second 10.0.0.5");
  {
    using stranger = await HttpClient.dial(served.innerPort);
    assert.equal((await stranger.get("/static")).status, 403);
  }
  assert.equal(served.server.stats, stats);
  for (const wrong of [{ proxy: {} }, { http3: true, fetch: say("x") }]) {
    assert.throws(() => served.server.reload(wrong), TypeError);
  }
  served.server.reload({ fetch: say("third"), proxy: { trust: [] } });
  assert.equal((await client.get("/")).body, "third 10.0.0.5");
  await assertRefused(served.port, 6);
  assert.deepEqual(served.server.stats.rejected, { untrusted: 1 });
  assert.equal(stats.accepted, 1);
});

test("serveHttp: closeIdleConnections closes the clients that are idle", async () => {
  const { fetch, next } = waiting();
  await using served = serve({ fetch });
  using busy = await HttpClient.as(1, served.port);
  busy.request("/");
  const answer = await next();
  using idle = await HttpClient.as(2, served.port);
  idle.request("/");
  (await next())("x");
  await idle.answer();
  const close: unknown = Reflect.get(served.server, "closeIdleConnections");
  assert(typeof close === "function");
  assert.equal(Reflect.apply(close, served.server, []), 1);
  await idle.ended();
  answer("y");
  assert.equal((await busy.answer()).body, "y");
});

test("serveHttp: idleTimeout closes an idle client when Bun does", async () => {
  const options = { fetch: () => new Response("x"), idleTimeout: 1 };
  await using served = serve(options);
  const native = Bun.serve({ ...options, hostname: "127.0.0.1", port: 0 });
  try {
    using ours = await HttpClient.as(1, served.port);
    using bare = await HttpClient.dial(native.port);
    await Promise.all([ours.get("/"), bare.get("/")]);
    const timeOf = async (client: HttpClient) => {
      await client.ended();
      return performance.now();
    };
    const [a, b] = await Promise.all([timeOf(ours), timeOf(bare)]);
    // Its clock ticks every 4 s.
    assert(Math.abs(a - b) < 4500, `${a - b} ms apart`);
  } finally {
    await native.stop(true);
  }
});

/** How a client leaves in the midst of an answer. */
const LEAVES: Record<string, (client: HttpClient) => void> = {
  reset: (client) => client.reset(),
  close: (client) => void client.socket.destroy(),
};

for (const [name, leave] of Object.entries(LEAVES)) {
  test(`serveHttp: a ${name} in the midst of server-sent events fires signal and cancels the stream`, async () => {
    const events = new Queue<string>();
    await using served = serve({
      fetch(request) {
        request.signal.addEventListener("abort", () => events.add("abort"));
        let timer: ReturnType<typeof setInterval>;
        const body = new ReadableStream({
          start(controller) {
            let i = 0;
            const send = () => controller.enqueue(`data: ${i++}\n\n`);
            send();
            timer = setInterval(send, 5);
          },
          cancel() {
            clearInterval(timer);
            events.add("cancel");
          },
        });
        return new Response(body, {
          headers: { "content-type": "text/event-stream" },
        });
      },
    });
    using client = await HttpClient.as(1, served.port);
    client.request("/");
    await client.takeTo("data: 0\n\n");
    await client.takeTo("data: 3\n\n");
    leave(client);
    const seen = [
      await events.next("the first of abort and cancel"),
      await events.next("the second of abort and cancel"),
    ];
    assert.deepEqual(seen.sort(), ["abort", "cancel"]);
  });
}

// Of one that closes in order Bun.serve hears nothing before it has read all.
test("serveHttp: a reset in the midst of an upload that nobody reads fires signal", async () => {
  const aborted = Promise.withResolvers<void>();
  const came = Promise.withResolvers<void>();
  await using served = serve({
    fetch(request) {
      came.resolve();
      request.signal.addEventListener("abort", () => aborted.resolve());
      return new Promise<Response>(() => {});
    },
  });
  using client = await HttpClient.as(1, served.port);
  client.request("/", {
    method: "POST",
    headers: { "content-length": "100000000" },
  });
  const chunk = new Uint8Array(1 << 16);
  for (let i = 0; i < 256; i++) client.socket.write(chunk);
  await within(came.promise, "the request");
  client.reset();
  await within(aborted.promise, "abort");
});

test("serveHttp: a client that ends its direction is not answered, as by Bun.serve", async () => {
  const { fetch, next } = waiting();
  await using served = serve({ fetch });
  const native = Bun.serve({ fetch, hostname: "127.0.0.1", port: 0 });
  try {
    for (
      const client of [
        await HttpClient.as(1, served.port),
        await HttpClient.dial(native.port),
      ]
    ) {
      client.request("/");
      const answer = await next();
      client.socket.end();
      assert.equal(await client.ended(), "");
      answer("too late");
    }
  } finally {
    await native.stop(true);
  }
});

test("serveHttp: an answer with Connection: close ends the connection after it", async () => {
  await using served = serve({ fetch: () => new Response("bye") });
  using client = await HttpClient.as(1, served.port);
  client.request("/", { headers: { connection: "close" } });
  assert.equal((await client.answer()).body, "bye");
  assert.equal(await client.ended(), "");
});

test("serveHttp: a connection that cannot reach the server is closed, counted and told", async () => {
  await using served = serve({ fetch: () => new Response() });
  const { stop } = Object.getPrototypeOf(served.server);
  await stop.call(served.server, true); // the native one alone
  using client = await HttpClient.as(1, served.port);
  assert.equal(await client.ended(), "");
  const error = await served.rejects.next("a failure");
  assert.equal(error.code, "io");
  assert.match(
    error.message,
    /cannot connect to the inner server: ECONNREFUSED/,
  );
  assert.equal(
    error.hop && "port" in error.hop && error.hop.hostname,
    "127.0.0.1",
  );
  assert.deepEqual(served.server.stats.rejected, { io: 1 });
});

test("serveHttp: thousands of connections leave no descriptor behind", async () => {
  await using served = serve({ fetch: () => new Response("x") });
  await get(served.port, "/");
  const files = await filesAtRest();
  const numbers = Array(2000).keys();
  await Promise.all(Array.from({ length: 100 }, async () => {
    for (const i of numbers) {
      using client = await HttpClient.as(i, served.port);
      const kind = i % 4;
      if (kind === 0) client.reset();
      else if (kind === 1) client.request("/");
      else {await client.get(
          "/",
          kind === 2 ? {} : { headers: { connection: "close" } },
        );}
    }
  }));
  await untilFiles(files);
  assert.equal(served.server.stats.pending, 0);
});

/** Runs a program to its end, telling it by a line when something has happened. */
async function run(
  program: string,
  whileRunning: (port: number) => Promise<void>,
) {
  const lib = new URL("../../../../conn/bun.ts", import.meta.url).pathname;
  const source = `import { serveHttp } from ${
    JSON.stringify(lib)
  };\n${program}`;
  const child = spawn(process.execPath, ["-e", source], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const output = new Queue<string>();
  child.stdout.on("data", (chunk) => output.add(`${chunk}`));
  const ended = new Promise<number | null>((resolve) =>
    child.on("close", resolve)
  );
  try {
    await whileRunning(Number(await output.next("a port")));
    assert.equal(await within(ended, "the program to end"), 0);
  } finally {
    child.kill();
  }
}

const PROGRAM = `
const server = serveHttp({
  hostname: "127.0.0.1",
  port: 0,
  fetch(request, server) {
    const { pathname } = new URL(request.url);
    if (pathname === "/stop") server.stop();
    return new Response(pathname);
  },
  proxy: { trust: ${JSON.stringify(TRUST)} },
});
console.log(server.port);
`;

const UNREF = `server.unref(); setTimeout(() => {}, 1000);`;

test("serveHttp: a program ends after stop(), and after unref() with clients connected", async () => {
  await run(PROGRAM, async (port) => {
    using idle = await HttpClient.as(1, port);
    await idle.get("/");
    assert.equal((await get(port, "/stop")).body, "/stop");
    await idle.ended();
  });
  await run(PROGRAM + UNREF, async (port) => {
    using idle = await HttpClient.as(1, port);
    await idle.get("/");
    using pending = await HttpClient.dial(port);
    await idle.ended();
    await pending.ended();
  });
  await run(PROGRAM + UNREF + "server.ref();", async (port) => {
    await new Promise((resolve) => setTimeout(resolve, 1500));
    assert.equal((await get(port, "/stop")).body, "/stop");
  });
});

test("serveHttp: the header is known as long as the request, after its connection too", async () => {
  const { fetch, next } = waiting();
  const requests: Request[] = [];
  await using served = serve({
    fetch(request) {
      requests.push(request);
      return fetch();
    },
  });
  {
    using client = await HttpClient.as(9, served.port);
    client.request("/");
    (await next())("x");
    await client.answer();
  }
  await served.server.stop(true);
  const [request] = requests;
  assert(request !== undefined);
  assert.equal(served.server.requestIP(request)?.address, "10.0.0.9");
  assert.equal(proxyInfo(request)?.command, "PROXY");
});

declare const Bun: {
  serve(options: object): {
    port: number;
    stop(closesActive: boolean): Promise<void>;
  };
};
