/** What a handler is told, and what a server is and refuses. */

import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  type DenoHandlerInfo,
  headerOf as headerFor,
  proxyHop,
  proxyInfo,
  ProxyProtocolError,
  serveHttp,
} from "../../../../conn/deno.ts";
import { type Address, encode } from "../../../../mod.ts";
import { within } from "../../../_within.ts";
import { TRUST } from "../../../conn/_loopback.ts";
import {
  CLIENT,
  Client,
  HEADER,
  headerOf,
  HOSTNAME,
  QUIET,
  request,
  serve,
  until,
} from "./_kit.ts";

const UNIX = { transport: "unix", path: "/run/client" } as const;

/** A header, the client that it names, and the command of `info.proxy`. */
const HEADERS: Record<string, {
  bytes: Uint8Array | string;
  client?: Address;
  command?: string;
}> = {
  "a v1 header": {
    bytes: headerOf(CLIENT.hostname, CLIENT.port, 1),
    client: CLIENT,
    command: "PROXY",
  },
  "a v2 header": { bytes: HEADER, client: CLIENT, command: "PROXY" },
  "a header of IPv6": {
    bytes: headerOf("2001:db8::7", 1234),
    client: { transport: "tcp", hostname: "2001:db8::7", port: 1234 },
    command: "PROXY",
  },
  "a header of UNIX addresses": {
    bytes: encode({ source: UNIX, destination: UNIX }),
    client: UNIX,
    command: "PROXY",
  },
  "a header of LOCAL": {
    bytes: encode({ command: "LOCAL" }),
    command: "LOCAL",
  },
  "a line of UNKNOWN": { bytes: "PROXY UNKNOWN\r\n", command: "PROXY" },
};

/** Serves one request, and returns what the handler was told. */
async function told(
  first: Uint8Array | string,
  proxy: Parameters<typeof serveHttp>[0]["proxy"] = { trust: TRUST },
  seen?: (request: Request) => void,
) {
  const calls: {
    request: Request;
    info: DenoHandlerInfo;
    url: string;
    completed: Promise<void>;
  }[] = [];
  await using server = serve((request, info) => {
    const { url } = request;
    const { completed } = info;
    calls.push({ request, info, url, completed });
    seen?.(request);
    return new Response("hello");
  }, { proxy });
  using client = await Client.dial(server, first);
  const { body } = await client.ask("/path?query");
  assertEquals(body, "hello");
  const [call, ...others] = calls;
  assert(call);
  assertEquals(others, []);
  assert(client.conn instanceof Object && "localAddr" in client.conn);
  return { ...call, hop: client.conn.localAddr, stats: { ...server.stats } };
}

for (const [name, { bytes, client, command }] of Object.entries(HEADERS)) {
  Deno.test(`serveHttp() tells a handler the client of ${name}`, async () => {
    const { request, info, url, completed, hop, stats } = await told(bytes);
    const peer = { ...hop as object };
    assertEquals({ ...info.remoteAddr as object }, client ?? peer);
    assertEquals({ ...info.hopAddr }, peer);
    assertEquals(info.proxy?.command, command);
    assertEquals(proxyInfo(request), info.proxy);
    assertEquals(proxyHop(request), info.hopAddr);
    assertEquals(headerFor(request).source, client);
    assertEquals(new URL(url).pathname, "/path");
    await within(completed, "completed");
    assertEquals(stats.accepted, 1);
    assertEquals(stats.local, command === "LOCAL" ? 1 : 0);
  });
}

Deno.test("serveHttp() serves direct peers where they are allowed, with their own addresses", async () => {
  const { request, info, hop, stats } = await told("", {
    trust: "none",
    untrusted: "direct",
  });
  assertEquals({ ...info.remoteAddr }, { ...hop as object });
  assertEquals(info.proxy, undefined);
  assertEquals(proxyInfo(request), undefined);
  assertEquals(stats.direct, 1);
});

Deno.test("proxyInfo() and proxyHop() know no clone, and no other request", async () => {
  const others = [new Request("http://localhost/")];
  await told(HEADER, undefined, (request) => others.push(request.clone()));
  assertEquals(others.length, 2);
  for (const other of others) {
    assertEquals(proxyInfo(other), undefined);
    assertEquals(proxyHop(other), undefined);
  }
});

Deno.test("serveHttp() tells all requests of a connection the same client, and gives each its own info", async () => {
  const infos: DenoHandlerInfo[] = [];
  await using server = serve((_, info) => {
    infos.push(info);
    return new Response("hello");
  });
  using client = await Client.dial(server);
  await client.send(request("/").repeat(3));
  for (let i = 0; i < 3; i++) assertEquals((await client.answer()).status, 200);
  assertEquals(new Set(infos).size, 3);
  for (const { remoteAddr } of infos) assertEquals(remoteAddr, CLIENT);
});

Deno.test("serveHttp() takes the handler among the options, and prefers the argument", async () => {
  const handler = () => new Response("option");
  const options = { ...QUIET, proxy: { trust: TRUST }, handler };
  await using one = serveHttp(options);
  await using two = serveHttp(options, () => new Response("argument"));
  for (const [server, body] of [[one, "option"], [two, "argument"]] as const) {
    using client = await Client.dial(server);
    assertEquals((await client.ask("/")).body, body);
  }
});

Deno.test("serveHttp() tells onListen its public address, and logs it otherwise", async () => {
  const heard: unknown[] = [];
  const { error } = console;
  console.error = (text) => heard.push(text);
  try {
    const proxy = { trust: TRUST };
    const where = { hostname: HOSTNAME, port: 0, proxy };
    const handler = () => new Response();
    await using told = serveHttp(
      { ...where, onListen: (addr) => heard.push(addr) },
      handler,
    );
    await using logged = serveHttp(where, handler);
    const url = `http://${HOSTNAME}:${logged.addr.port}/`;
    assertEquals(heard, [told.addr, `Listening on ${url} (PROXY protocol)`]);
    assertEquals(told.addr.hostname, HOSTNAME);
  } finally {
    console.error = error;
  }
});

Deno.test("serveHttp() answers what onError returns for a handler that throws", async () => {
  const errors: unknown[] = [];
  await using server = serve(() => {
    throw new Error("handler");
  }, {
    onError(error) {
      errors.push(error);
      return new Response("sorry", { status: 503 });
    },
  });
  using client = await Client.dial(server);
  const { status, body } = await client.ask("/");
  assertEquals([status, body], [503, "sorry"]);
  assert(errors[0] instanceof Error && errors[0].message === "handler");
});

Deno.test("serveHttp() closes what has no header, is silent or not trusted, before any HTTP", async () => {
  const cases: [
    code: string,
    proxy: { trust: readonly string[]; timeout?: number },
    first: string | Uint8Array,
  ][] = [
    ["signature", { trust: TRUST }, request("/")],
    ["timeout", { trust: TRUST, timeout: 50 }, "PROXY"],
    ["untrusted", { trust: ["10.0.0.0/8"] }, HEADER],
  ];
  for (const [code, proxy, first] of cases) {
    const rejected: ProxyProtocolError[] = [];
    await using server = serve(() => new Response("handled"), {
      proxy: { ...proxy, onReject: (error) => rejected.push(error) },
    });
    using client = await Client.dial(server, first);
    assertEquals(await client.rest(), "");
    const [error] = rejected;
    assert(error instanceof ProxyProtocolError);
    assertEquals(server.stats.accepted, 0);
    assertEquals(server.stats.rejected, { [error.code]: 1 });
    assert(error.hop !== undefined, code);
  }
});

Deno.test("serveHttp() serves whom verify accepts, which is called with the client", async () => {
  const seen: unknown[] = [];
  await using server = serve(() => new Response("handled"), {
    proxy: {
      trust: TRUST,
      verify(info, { remoteAddr }) {
        seen.push(remoteAddr);
        return info.version === 2;
      },
    },
  });
  using one = await Client.dial(server);
  assertEquals((await one.ask("/")).body, "handled");
  using two = await Client.dial(server, headerOf("192.0.2.8", 1, 1));
  assertEquals(await two.rest(), "");
  assertEquals(seen, [CLIENT, { ...CLIENT, hostname: "192.0.2.8", port: 1 }]);
  assertEquals(server.stats.rejected, { verify: 1 });
});

Deno.test("serveHttp() listens on a UNIX socket", async () => {
  const folder = await Deno.makeTempDir();
  const path = `${folder}/socket`;
  const infos: DenoHandlerInfo<Address>[] = [];
  const server = serveHttp(
    { path, proxy: { trust: ["unix"] }, onListen() {} },
    (_, info) => {
      infos.push(info);
      return new Response("hello");
    },
  );
  assertEquals(server.addr, { transport: "unix", path });
  using client = new Client(await Deno.connect({ transport: "unix", path }));
  await client.send(HEADER);
  assertEquals((await client.ask("/")).body, "hello");
  assertEquals(infos[0]?.remoteAddr, CLIENT);
  assertEquals(infos[0]?.hopAddr, { transport: "unix", path: "" });
  await server.shutdown();
  await Deno.remove(folder, { recursive: true });
});

Deno.test("serveHttp() passes automaticCompression on", async () => {
  await using server = serve(() => new Response("hello ".repeat(100)), {
    automaticCompression: true,
  });
  using client = await Client.dial(server);
  const headers = "Accept-Encoding: gzip\r\n";
  const { head } = await client.ask("/", { headers });
  assert(/^content-encoding: gzip/im.test(head), head);
});

/** Calls with what types do not let through. */
function call(...args: unknown[]): unknown {
  return Reflect.apply(serveHttp, undefined, args);
}

Deno.test("serveHttp() throws for wrong options, and listens nowhere then", async () => {
  const handler = () => new Response();
  const proxy = { trust: TRUST };
  const cases: [args: unknown[], text: string][] = [
    [[], "expected options with proxy"],
    [[handler], "expected options with proxy"],
    [[{ proxy }], "expected a handler"],
    [[{ proxy }, "handler"], "expected a handler"],
    [[{ port: 0 }, handler], "Cannot read proxy"],
    [[{ proxy: TRUST }, handler], "unknown option"],
    [[{ proxy: {} }, handler], "Cannot read trust"],
    [[{ proxy: { ...proxy, verfiy: 1 } }, handler], 'mean "verify"?'],
    [[{ proxy: { ...proxy, lazy: true } }, handler], "Cannot read lazy"],
    [[{ proxy, cid: 1, port: 0 }, handler], "only TCP and UNIX"],
    [[{ proxy, transport: "vsock" }, handler], "Cannot read transport"],
    [[Object.create({ proxy }), handler], "plain object"],
    [[{ proxy, cert: "text" }, handler], "key"],
    [[{ proxy, alpnProtocols: ["h2"] }, handler], "alpnProtocols"],
  ];
  // One port: it is still free in the end.
  const port = serve(handler);
  const { addr } = port;
  await port.shutdown();
  for (const [args, text] of cases) {
    const [first, ...rest] = args;
    const given = typeof first === "object" && first !== null
      ? Object.assign(first, { hostname: HOSTNAME, port: addr.port })
      : first;
    const error = assertThrows(() => call(given, ...rest), TypeError);
    assert(error.message.includes(text), `${text}: ${error.message}`);
  }
  await using _server = serve(handler, { port: addr.port });
});

Deno.test("serveHttp() throws where another server listens", async () => {
  await using server = serve(() => new Response());
  assertThrows(
    () => serve(() => new Response(), { port: server.addr.port }),
    Deno.errors.AddrInUse,
  );
});

Deno.test("serveHttp() counts its connections", async () => {
  await using server = serve(() => new Response("hello"));
  using _silent = await Client.dial(server, "");
  await until("pending", () => server.stats.pending === 1);
  using client = await Client.dial(server);
  await client.ask("/");
  assertEquals(server.stats.accepted, 1);
});
