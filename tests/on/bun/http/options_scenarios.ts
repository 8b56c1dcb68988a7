/** Options of `serveHttp`, and where it listens by them: as `Bun.serve` does. */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { type BunPlainServer, serveHttp } from "../../../../conn/bun.ts";
import { filesAtRest, untilFiles } from "../_files.ts";
import { get, HttpClient, serve, TRUST } from "./_kit.ts";

declare const Bun: { serve(options: object): BunPlainServer };

const fetch = () => new Response("hello");
const proxy = { trust: TRUST };

/** What a server says of where it listens. */
function place(server: BunPlainServer) {
  const { port, hostname, url, protocol } = server;
  const address: unknown = Reflect.get(server, "address");
  return { port, hostname, url: url.href, protocol, address };
}

/** Starts a server by some options, natively and here, and compares what they say. */
async function compare(options: object): Promise<void> {
  const native = Bun.serve({ fetch, ...options });
  const expected = place(native);
  await native.stop(true);
  const ofPort = expected.port === undefined ? {} : { port: expected.port };
  const ours = serveHttp({ fetch, ...options, ...ofPort, proxy });
  try {
    assert.deepEqual(place(ours), expected);
  } finally {
    await ours.stop(true);
  }
  assert.deepEqual(place(ours), place(native));
}

test("serveHttp: port, hostname, url and address are those of Bun.serve", async () => {
  for (
    const options of [
      { port: 0 },
      { port: "0", hostname: "0.0.0.0" },
      { port: 0, hostname: "::" },
      { port: 0, hostname: "::1" },
      { port: 0, hostname: "127.0.0.1" },
      { port: 0, hostname: "localhost" },
      { port: 0, hostname: "" },
      { port: 0, hostname: null, unix: "" },
      { port: 0, reusePort: true, ipv6Only: true },
      { unix: join(tmpdir(), `serve-http-${process.pid}.sock`) },
    ]
  ) await compare(options);
});

test("serveHttp: without a port it is that of Bun's variables and its command", async () => {
  // Of the system; should another test have one meanwhile, both would say so.
  const ports = await Promise.all(["a", "b", "c", "d"].map(async () => {
    await using served = serve({ fetch });
    return `${served.port}`;
  }));
  const [a = "", b = "", c = "", d = ""] = ports;
  const cases: [env: Record<string, string>, flags: string[], port: string][] =
    [
      [{ BUN_PORT: a, PORT: b, NODE_PORT: c }, ["--port", d], a],
      [{ BUN_PORT: "", PORT: b, NODE_PORT: c }, [], b],
      [{ BUN_PORT: "x", PORT: "70000", NODE_PORT: c }, [], c],
      [{ BUN_PORT: "1.5", PORT: `${b}x`, NODE_PORT: `+${c}` }, [], c],
      [{ BUN_PORT: "-1", PORT: " " }, [`--port=${d}`], d],
      [{}, ["--port", d], d],
    ];
  for (const [env, flags, port] of cases) {
    const { PORT: _, BUN_PORT: __, NODE_PORT: ___, ...rest } = process.env;
    const script = new URL("_default_port.ts", import.meta.url).pathname;
    const printed = execFileSync(process.execPath, [...flags, script], {
      env: { ...rest, ...env },
      encoding: "utf8",
    });
    assert.equal(printed, `${port} ${port} ${port}\n`, JSON.stringify(env));
  }
});

test("serveHttp: without a hostname both families are served", async () => {
  await using server = serveHttp({
    port: 0,
    fetch,
    proxy: { trust: ["::1", ...TRUST] },
  });
  for (const host of ["127.0.0.1", "::1"]) {
    using client = await HttpClient.dial({ host, port: server.port ?? 0 });
    client.send("PROXY UNKNOWN\r\n");
    assert.equal((await client.get("/")).body, "hello");
  }
});

test("serveHttp: a UNIX socket is served, and is gone after stop", async () => {
  const folder = mkdtempSync(join(tmpdir(), "serve-http-"));
  try {
    const unix = join(folder, "s");
    await using served = serve({
      unix,
      fetch: (request, server) =>
        new Response(server.requestIP(request)?.address),
    });
    assert.equal((await get(unix, "/", 7)).body, "10.0.0.7");
    await served.server.stop();
    assert.equal(existsSync(unix), false);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("serveHttp: wrong options throw, and leave nothing behind", async () => {
  await using busy = serve({ fetch });
  const files = await filesAtRest();
  const cases: [object, RegExp][] = [
    [
      { fetch },
      /^Cannot read proxy: expected the options of proxied\(\), received undefined$/,
    ],
    [{ fetch, proxy: "any" }, /^Cannot read proxy: .*"any"$/],
    [{ fetch, proxy: {} }, /trust/],
    [{ fetch, proxy: { trust: ["10.0.0.0/33"] } }, /10\.0\.0\.0\/33/],
    [{ fetch, proxy: { ...proxy, verfy: () => false } }, /verfy/],
    [{ fetch, proxy: { ...proxy, lazy: true } }, /^Cannot read lazy: /],
    [{ fetch, proxy, http3: true }, /^Cannot serve HTTP\/3: /],
    [{ fetch, proxy, unix: "/tmp/s", hostname: "a" }, /hostname or unix/],
    [{ fetch, proxy, port: 70000 }, /65535/],
    [{ fetch, proxy, hostname: "127.0.0.1", port: busy.port }, /listen/],
    [{ fetch, proxy, port: 0, tls: { key: "no", cert: "no" } }, /./],
    [{ fetch: 5, proxy, port: 0 }, /./],
    [{ proxy, port: 0 }, /fetch/],
    [{ proxy, port: 0, routes: { "/": 5 } }, /routes/],
    [{ proxy, port: 0, fetch, websocket: 5 }, /websocket/i],
  ];
  for (const [options, message] of cases) {
    assert.throws(
      () => Reflect.apply(serveHttp, undefined, [options]),
      { message },
      JSON.stringify(options),
    );
  }
  await untilFiles(files);
});

test("serveHttp: a port that is in use throws the code of Bun.serve", async () => {
  await using busy = serve({ fetch });
  const options = { hostname: "127.0.0.1", port: busy.port, fetch, proxy };
  for (const start of [Bun.serve, serveHttp<undefined, string>]) {
    assert.throws(() => start(options), { code: "EADDRINUSE" });
  }
});
