/** What a request tells of its client, in each way that Bun dispatches it. */

import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import {
  type BunPlainServer,
  headerOf,
  proxyHop,
  proxyInfo,
} from "../../../../conn/bun.ts";
import { encode } from "../../../../mod.ts";
import { addressOf, type Answer, HttpClient, serve, utf8 } from "./_kit.ts";

/** Says all that is known of a request. */
function see(request: Request, server: BunPlainServer): Response {
  const info = proxyInfo(request);
  return Response.json({
    ip: server.requestIP(request),
    hop: proxyHop(request),
    command: info?.command ?? null,
    authority: info?.tlvs.AUTHORITY ?? null,
  });
}

const SERVED = { fetch: see };

/** The address of client 1, as `requestIP` gives it. */
const CLIENT_1 = {
  address: addressOf(1).hostname,
  port: addressOf(1).port,
  family: "IPv4",
};

test("serveHttp: requestIP, proxyInfo and proxyHop tell of the client, its header and the proxy", async () => {
  await using served = serve(SERVED);
  using client = await HttpClient.dial(served.port);
  const { localPort } = client.socket;
  client.send(encode({
    source: { transport: "tcp", hostname: "2001:db8::7", port: 4711 },
    destination: { transport: "tcp", hostname: "2001:db8::1", port: 443 },
    tlvs: { AUTHORITY: "sni.example" },
  }));
  for (let i = 0; i < 3; i++) {
    const { status, body } = await client.get("/");
    assert.equal(status, 200);
    assert.deepEqual(JSON.parse(body), {
      ip: { address: "2001:db8::7", port: 4711, family: "IPv6" },
      hop: { transport: "tcp", hostname: "127.0.0.1", port: localPort },
      command: "PROXY",
      authority: "sni.example",
    });
  }
  const { accepted, pending } = served.server.stats;
  assert.deepEqual([accepted, pending], [1, 0]);
});

test("serveHttp: headerOf names the client of a request to a backend", async () => {
  await using served = serve({
    fetch(request) {
      const { raw: _, ...header } = headerOf(request);
      return Response.json(header);
    },
  });
  const header = {
    source: { transport: "tcp", hostname: "192.0.2.1", port: 1111 },
    destination: { transport: "tcp", hostname: "198.51.100.1", port: 443 },
    tlvs: { AUTHORITY: "sni.example" },
  } as const;
  using client = await HttpClient.dial(served.port);
  client.send(encode(header));
  assert.deepEqual(JSON.parse((await client.get("/")).body), header);
  using other = await HttpClient.dial(served.port);
  other.send(encode({ command: "LOCAL" }));
  const { body } = await other.get("/");
  assert.deepEqual(JSON.parse(body), { command: "LOCAL", tlvs: {} });
});

test("serveHttp: LOCAL, UNKNOWN and direct peers are shown by their own address", async () => {
  await using served = serve({
    ...SERVED,
    proxy: { header: "optional", unmap: true },
  });
  const starts = {
    LOCAL: encode({ command: "LOCAL" }),
    PROXY: utf8("PROXY UNKNOWN\r\n"),
    null: utf8(""),
  };
  for (const [command, start] of Object.entries(starts)) {
    using client = await HttpClient.dial(served.port);
    const { localPort: port } = client.socket;
    client.send(start);
    const seen = JSON.parse((await client.get("/")).body);
    assert.equal(`${seen.command}`, command);
    assert.deepEqual(seen.ip, { address: "127.0.0.1", port, family: "IPv4" });
  }
  const { accepted, direct, local } = served.server.stats;
  assert.deepEqual([accepted, direct, local], [3, 1, 1]);
});

test("serveHttp: header discard keeps the proxy's address and still gives the header", async () => {
  await using served = serve({ ...SERVED, proxy: { header: "discard" } });
  using client = await HttpClient.as(1, served.port);
  const seen = JSON.parse((await client.get("/")).body);
  assert.equal(seen.ip.address, "127.0.0.1");
  assert.equal(seen.command, "PROXY");
});

test("serveHttp: a client of a UNIX socket has no address", async () => {
  await using served = serve(SERVED);
  using client = await HttpClient.dial(served.port);
  client.send(encode({
    source: { transport: "unix", path: "/a" },
    destination: { transport: "unix", path: "/b" },
  }));
  const seen = JSON.parse((await client.get("/")).body);
  assert.equal(seen.ip, null);
  assert.equal(seen.command, "PROXY");
});

test("serveHttp: no header, a wrong one or a silent peer is closed before HTTP and told to onReject", async () => {
  let calls = 0;
  await using served = serve({
    fetch: () => new Response(`${++calls}`),
    proxy: { timeout: 50, maxPending: 1 },
  });
  for (
    const [start, code] of [
      ["GET / HTTP/1.1\r\nHost: a\r\n\r\n", "signature"],
      ["PROXY TCP4 10.0.0.1 10.0.0.2 1 99999\r\n", "port"],
      ["PROXY TCP4", "timeout"],
    ] as const
  ) {
    using client = await HttpClient.dial(served.port);
    client.send(start);
    assert.equal(await client.ended(), "");
    const error = await served.rejects.next(code);
    assert.equal(error.code, code);
    assert.deepEqual(error.hop && "port" in error.hop, true);
  }
  {
    using first = await HttpClient.dial(served.port);
    using second = await HttpClient.dial(served.port);
    assert.equal((await served.rejects.next("overload")).code, "overload");
    await first.ended();
    await second.ended();
  }
  assert.equal(calls, 0);
  assert.equal(served.server.stats.accepted, 0);
});

test("serveHttp: verify decides, and what comes meanwhile is served", async () => {
  const answer = Promise.withResolvers<boolean>();
  await using served = serve({
    ...SERVED,
    proxy: { verify: () => answer.promise },
  });
  using client = await HttpClient.as(1, served.port);
  client.request("/");
  client.request("/");
  answer.resolve(true);
  for (let i = 0; i < 2; i++) {
    assert.deepEqual(JSON.parse((await client.answer()).body).ip, CLIENT_1);
  }
});

test("serveHttp: routes with handlers, parameters and methods know the client", async () => {
  const named = (request: Request, server: BunPlainServer) => {
    const params: unknown = Reflect.get(request, "params");
    const { address } = server.requestIP(request) ?? {};
    return Response.json([params, request.method, address]);
  };
  await using served = serve({
    routes: {
      "/users/:id": named,
      "/methods": { GET: named, POST: named },
      "/no": false,
      "/*": () => new Response("any"),
    },
  });
  using client = await HttpClient.as(7, served.port);
  const { hostname } = addressOf(7);
  const bodyOf = async (path: string, method = "GET") =>
    (await client.get(path, { method })).body;
  assert.deepEqual(JSON.parse(await bodyOf("/users/5")), [
    { id: "5" },
    "GET",
    hostname,
  ]);
  for (const method of ["GET", "POST"]) {
    const [, seen, address] = JSON.parse(await bodyOf("/methods", method));
    assert.deepEqual([seen, address], [method, hostname]);
  }
  assert.equal(await bodyOf("/else"), "any");
  assert.equal((await client.get("/no")).status, 404);
});

/** What Bun serves by itself, and what must be the same here. */
test("serveHttp: a Response and a file as a route are answered as by Bun.serve", async () => {
  const folder = mkdtempSync(join(tmpdir(), "serve-http-"));
  const path = join(folder, "page.txt");
  writeFileSync(path, "the page");
  const routes = () => ({
    "/text": new Response("text", { headers: { "x-own": "1" } }),
    "/json": Response.json({ a: 1 }),
    "/tag": new Response("x", { headers: { etag: '"mine"' } }),
    "/bytes": new Response(utf8("bytes")),
    "/blob": new Response(new Blob(["q"], { type: "image/png" })),
    "/gone": new Response("gone", { status: 410 }),
    "/empty": new Response(null, { status: 204 }),
    "/moved": Response.redirect("/text", 302),
    "/file": Bun.file(path),
    "/sent": new Response(Bun.file(path), { headers: { "x-own": "2" } }),
    "/missing": Bun.file(path + "x"),
    "/folder": Bun.file(folder),
    "/method": { GET: new Response("get"), POST: new Response("post") },
  });
  const fetch = () => new Response("fetched", { status: 418 });
  const native = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    routes: routes(),
    fetch,
  });
  await using served = serve({ routes: routes(), fetch });
  try {
    using ours = await HttpClient.as(1, served.port);
    using bare = await HttpClient.dial(native.port);
    const asked: Record<string, string>[] = [
      {},
      { "if-none-match": "*" },
      { "if-none-match": '"mine", W/"d1c9d4ed2b0bf1ec"' },
      { "if-modified-since": new Date(Date.now() + 1e6).toUTCString() },
      { "if-modified-since": new Date(0).toUTCString() },
      { range: "bytes=1-2" },
    ];
    for (const path of Object.keys(routes())) {
      for (const method of ["GET", "HEAD", "POST"]) {
        for (const headers of asked) {
          if (headers.range && method !== "GET") continue; // which has no meaning
          const options = { method, headers };
          const what = `${method} ${path} ${JSON.stringify(headers)}`;
          const expected = facts(await bare.get(path, options));
          const seen = facts(await ours.get(path, options));
          // Bun gives each answer of a handler a type, but none to HEAD.
          const type = "content-type";
          if (!expected.headers[type] || !seen.body) {
            delete expected.headers[type];
            delete seen.headers[type];
          }
          assert.deepEqual(seen, expected, what);
        }
      }
    }
  } finally {
    native.stop(true);
    rmSync(folder, { recursive: true });
  }
});

function facts({ status, headers, body }: Answer) {
  headers.delete("date");
  return { status, body, headers: Object.fromEntries(headers) };
}

declare const Bun: {
  file(path: string): Blob;
  serve(options: object): { port: number; stop(all: boolean): void };
};
