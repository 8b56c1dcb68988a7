/** TLS begins after the header, at the native server: HTTP/1 and HTTP/2 by ALPN. */

import assert from "node:assert/strict";
import { connect as connectHttp2 } from "node:http2";
import { connect as connectTcp } from "node:net";
import { test } from "node:test";
import { connect as connectTls } from "node:tls";
import { type BunPlainServer, proxyInfo } from "../../../../conn/bun.ts";
import { KEY_PAIR } from "../_client.ts";
import { addressOf, claimOf, HttpClient, serve, within } from "./_kit.ts";

/** Says who is served by what. */
function see(request: Request, server: BunPlainServer): Response {
  const { address } = server.requestIP(request) ?? {};
  return Response.json([address, proxyInfo(request)?.version ?? null]);
}

/** Dials TLS after the header of a client. */
async function dialTls(id: number, port: number, alpn: string) {
  const socket = connectTcp(port, "127.0.0.1");
  socket.write(claimOf(id));
  const tls = connectTls({
    socket,
    servername: "localhost",
    ca: KEY_PAIR.cert,
    ALPNProtocols: [alpn],
  });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  tls.once("secureConnect", resolve).once("error", reject);
  await within(promise, "a TLS handshake");
  assert.equal(tls.alpnProtocol === "h2", alpn === "h2");
  return tls;
}

test("serveHttp: TLS with HTTP/1.1 shows the client", async () => {
  await using served = serve({ tls: KEY_PAIR, fetch: see });
  assert.equal(served.server.protocol, "https");
  assert.equal(served.server.url.protocol, "https:");
  using client = new HttpClient(await dialTls(1, served.port, "http/1.1"));
  for (let i = 0; i < 3; i++) {
    const { body } = await client.get("/");
    assert.deepEqual(JSON.parse(body), [addressOf(1).hostname, 2]);
  }
});

test("serveHttp: TLS with HTTP/2 shows the client to 20 streams at once", async () => {
  const options = { tls: KEY_PAIR, fetch: see, http2: true };
  await using served = serve(options);
  const socket = await dialTls(2, served.port, "h2");
  const session = connectHttp2("https://localhost", {
    createConnection: () => socket,
  });
  try {
    const bodies = await Promise.all(Array.from({ length: 20 }, async () => {
      const stream = session.request({ ":path": "/" }).setEncoding("utf8");
      let body = "";
      for await (const chunk of stream) body += chunk;
      return body;
    }));
    const expected = JSON.stringify([addressOf(2).hostname, 1]);
    assert.deepEqual(new Set(bodies), new Set([expected]));
    assert.equal(bodies.length, 20);
  } finally {
    session.destroy();
  }
});

test("serveHttp: strangers are answered 403 by TLS too", async () => {
  let calls = 0;
  await using served = serve({
    tls: KEY_PAIR,
    fetch: () => new Response(`${++calls}`),
  });
  const tls = connectTls({
    port: served.innerPort,
    host: "127.0.0.1",
    servername: "localhost",
    ca: KEY_PAIR.cert,
  });
  using stranger = new HttpClient(tls);
  assert.equal((await stranger.get("/")).status, 403);
  assert.equal(calls, 0);
});
