/** Whoever connects to the native server itself reaches no handler, and no content. */

import assert from "node:assert/strict";
import type { TcpNetConnectOpts } from "node:net";
import { tmpdir } from "node:os";
import { test } from "node:test";
import { proxyInfo } from "../../../../conn/bun.ts";
import { HttpClient, innerPortOf, serve } from "./_kit.ts";

declare const Bun: { file(path: string): Blob };

/** Asks to go on with a WebSocket. */
const UPGRADE = {
  connection: "Upgrade",
  upgrade: "websocket",
  "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
  "sec-websocket-version": "13",
};

/** Routes of each kind that is served, with a file that is there. */
function routes(onCall: () => Response): object {
  return {
    "/static": new Response("static"),
    "/method": { GET: new Response("get"), POST: onCall },
    "/file": Bun.file(new URL(import.meta.url).pathname),
    "/sent": new Response(Bun.file(new URL(import.meta.url).pathname)),
    "/handler": onCall,
    "/false": false,
    "/:name/x": onCall,
  };
}

const PATHS = [
  ...["/", "/static", "/method", "/file", "/sent", "/handler", "/false"],
  ...["/a/x", "/none"],
];

/** Where a stranger may dial from. */
const HOSTS = ["127.0.0.1", "127.0.0.2"];

for (const isFetched of [true, false]) {
  const name = isFetched ? "fetch and routes" : "routes alone";
  test(`serveHttp: a stranger is answered 403 by a server with ${name}`, async () => {
    let calls = 0;
    const onCall = () => new Response(`${++calls}`);
    await using served = serve({
      routes: routes(onCall),
      ...(isFetched && { fetch: onCall }),
    });
    for (const localAddress of HOSTS) {
      for (const path of PATHS) {
        for (const method of ["GET", "HEAD", "POST"]) {
          using stranger = await HttpClient.dial({
            host: "127.0.0.1",
            port: served.innerPort,
            localAddress,
          });
          const { status, body } = await stranger.get(path, { method });
          const what = `${method} ${path} from ${localAddress}`;
          assert.deepEqual([status, body], [403, ""], what);
          assert.equal(await stranger.ended(), "");
        }
      }
    }
    assert.equal(calls, 0);
  });
}

test("serveHttp: a stranger gets no WebSocket", async () => {
  const calls: string[] = [];
  await using served = serve({
    fetch(request, server) {
      calls.push("fetch");
      return server.upgrade(request) ? undefined : new Response("no");
    },
    websocket: {
      open: () => calls.push("open"),
      message: () => calls.push("message"),
    },
  });
  for (const localAddress of HOSTS) {
    using stranger = await HttpClient.dial({
      host: "127.0.0.1",
      port: served.innerPort,
      localAddress,
    });
    const { status } = await stranger.get("/", { headers: UPGRADE });
    assert.equal(status, 403);
  }
  assert.deepEqual(calls, []);
});

test("serveHttp: the port of an open connection serves nobody else", async () => {
  const native = Promise.withResolvers<number>();
  const release = Promise.withResolvers<void>();
  let calls = 0;
  await using served = serve({
    async fetch(request, server) {
      calls++;
      const { requestIP } = Object.getPrototypeOf(server);
      native.resolve(requestIP.call(server, request).port);
      await release.promise;
      return new Response("done");
    },
  });
  using client = await HttpClient.as(1, served.port);
  client.request("/");
  const localPort = await native.promise;
  const from = (localAddress: string): TcpNetConnectOpts => ({
    host: "127.0.0.1",
    port: served.innerPort,
    localAddress,
    localPort,
  });
  await assert.rejects(HttpClient.dial(from("127.0.0.1")), /EADDR/);
  {
    using stranger = await HttpClient.dial(from("127.0.0.2"));
    assert.equal((await stranger.get("/")).status, 403);
  }
  release.resolve();
  assert.equal((await client.answer()).body, "done");
  assert.equal(calls, 1);
});

test("serveHttp: server.fetch calls the handler without a connection, and no stranger with it", async () => {
  let isCalled = false;
  const stranger = Promise.withResolvers<void>();
  await using served = serve({
    async fetch(request) {
      assert.equal(served.server.requestIP(request), null);
      assert.equal(proxyInfo(request), undefined);
      isCalled = true;
      await stranger.promise;
      return new Response("called");
    },
  });
  const answer = served.server.fetch("http://localhost/");
  assert.equal(isCalled, true);
  using client = await HttpClient.dial(served.innerPort);
  assert.equal((await client.get("/")).status, 403);
  stranger.resolve();
  assert.equal(await (await answer).text(), "called");
});

test("serveHttp: a copy of a request, and one of another server, have no client", async () => {
  await using other = serve({ fetch: () => new Response("other") });
  await using served = serve({
    fetch(request, server) {
      const copy = new Request(request);
      return Response.json([
        server.requestIP(copy),
        proxyInfo(copy) ?? null,
        server.upgrade(copy),
        proxyInfo(request)?.version,
      ]);
    },
    websocket: { message() {} },
  });
  using client = await HttpClient.as(1, served.port);
  const { body } = await client.get("/");
  assert.deepEqual(JSON.parse(body), [null, null, false, 2]);
  assert.notEqual(innerPortOf(other.server), served.innerPort);
});

test("serveHttp: a route that no handler can serve is refused", async () => {
  const bundle = await import(new URL("_page.html", import.meta.url).href);
  const folder = { dir: tmpdir() };
  for (
    const routes of [
      { "/": bundle.default },
      { "/": { GET: bundle.default } },
      { "/*": folder },
      { "/*": { GET: folder } },
    ]
  ) {
    for (const options of [{ routes }, { static: routes, fetch() {} }]) {
      assert.throws(() => serve(options), {
        name: "TypeError",
        message: /^Cannot guard the route "(GET )?\/\*?": /,
      });
    }
  }
});
