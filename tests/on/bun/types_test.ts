/** The types of Bun fit those of `./bun`, checked by TypeScript with `bun-types`. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { folderWith } from "../../_npm.ts";
import { typeErrors } from "../../_type_check.ts";
import { BUN_TYPES } from "../../_versions.ts";

const ADAPTER = new URL("../../../conn/bun.ts", import.meta.url).pathname;

/** Not a file of its own: Deno would check it, and knows no Bun. */
const SOURCE = `
import {
  type BunHandlers, type BunSocket, encode, isClientVerified, proxied, proxyHop, proxyInfo, type ProxyInfo, relay,
  serveHttp, upgradeTls,
  writeHeader,
} from ${JSON.stringify(ADAPTER)};

const trust = ["127.0.0.1"];
const tls = { key: "", cert: "" };

// Written into the call, everything is inferred from the type of the data.
const listener = Bun.listen<{ id: number }>({
  hostname: "127.0.0.1",
  port: 0,
  data: { id: 1 },
  socket: proxied({
    open(socket, info) {
      const id: number = socket.data.id;
      const known: ProxyInfo | undefined = info;
      socket.write(String([id, known, proxyHop(socket), proxyInfo(socket)]));
      // @ts-expect-error The data has no such field.
      socket.data.name;
      const secure = upgradeTls(socket, {
        tls,
        socket: {
          open(socket) { socket.write(socket.remoteAddress); },
          data(socket, payload) { socket.write(payload.toString("utf8")); },
        },
      });
      const written: number | undefined = secure?.write("hello");
      return written;
    },
    data: (socket, payload) => socket.write(payload.toString("hex")),
    drain: (socket) => socket.flush(),
    async close(socket, error) { console.log(socket.data.id, error?.message); },
  }, { trust, verify: (info, socket) => info.version === socket.data.id }),
});
listener.stop();

const passed = Bun.listen<{ id: number }>({
  hostname: "127.0.0.1",
  port: 0,
  allowHalfOpen: true,
  socket: proxied({
    async open(socket) {
      const target = { hostname: "127.0.0.1", port: 1, tls: { ca: tls.cert } };
      const { sent } = await relay(socket, target, { send: 2 });
      relay(socket, { unix: "/tmp/s" });
      // @ts-expect-error There is nowhere to connect to.
      relay(socket, { port: sent });
    },
  }, { trust }),
});
passed.stop();

// Without the type of the data, the socket and the payload are those of Bun all the same.
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends
  (<T>() => T extends B ? 1 : 2) ? true : false;
function holds<T extends true>(): void {}

Bun.listen({
  hostname: "127.0.0.1",
  port: 0,
  socket: proxied({
    open(socket, info) {
      holds<Same<typeof socket, Bun.Socket<unknown>>>();
      holds<Same<typeof info, ProxyInfo | undefined>>();
      socket.write("x");
      socket.data = { id: 1 };
      socket.setNoDelay(true);
    },
    data(socket, payload) {
      holds<Same<typeof payload, Buffer>>();
      socket.end(payload.toString("latin1"));
    },
    drain(socket) { socket.flush(); },
    close(socket, error) { console.log(socket.data, error?.message); },
  }, { trust, verify: (info, socket) => info.version === socket.write("") }),
});

// So they are with handlers in a variable, whatever they are used for then.
const handlers = proxied({
  open(socket) {
    holds<Same<typeof socket, Bun.Socket<unknown>>>();
    socket.write("x");
    relay(socket, { unix: "/tmp/s" });
    upgradeTls(socket, { tls, socket: { data(tls) { tls.end(); } } });
  },
  data(socket, payload) { socket.write(payload.subarray(1)); },
}, { trust });
Bun.listen({ unix: "/tmp/s", tls, socket: handlers });
Bun.listen({ hostname: "", port: 1, socket: { ...handlers, drain() {} } });
Bun.listen<{ id: number }>({ hostname: "", port: 1, socket: handlers });
Bun.listen({ hostname: "", port: 1, data: { id: 1 }, socket: handlers });
const accepted: number = handlers.stats.accepted;

// Handlers that have a type before they are wrapped.
const ofOurs: BunHandlers = { open(socket) { socket.write("x"); } };
const ofBun: Bun.SocketHandler<{ id: number }> = {
  open(socket) { socket.write(socket.data.id.toFixed()); },
};
const named = {
  open(socket: Bun.Socket<{ id: number }>) { socket.data.id = 2; },
};
Bun.listen({ unix: "/tmp/s", socket: proxied(ofOurs, { trust }) });
Bun.listen({ unix: "/tmp/s", socket: proxied(ofBun, { trust }) });
Bun.listen({ unix: "/tmp/s", data: { id: 1 }, socket: proxied(named, { trust }) });

Bun.listen({
  unix: "/tmp/s",
  data: { id: 1 },
  socket: proxied({
    open(socket) {
      // @ts-expect-error The compiler looks at the value of \`data\` after the
      // call beside it, so here the type has to be named: Bun.listen<Data>.
      socket.data.id;
    },
  }, { trust }),
});

// Each class of payload.
const buffers = proxied({
  binaryType: "arraybuffer",
  open(_socket: Bun.Socket) {},
  data(_socket, payload: ArrayBuffer) { payload.slice(1); },
}, { trust: "any" });
Bun.listen({ hostname: "", port: 1, socket: buffers });

// The options of Bun.serve are inferred as they are by Bun.serve.
const server = serveHttp({
  port: "8080",
  proxy: { trust, verify: (info, socket) => socket.remotePort === info.version },
  routes: {
    "/users/:id": (request, server) => {
      const id: string = request.params.id;
      // @ts-expect-error The path has no such part.
      request.params.name;
      request.cookies.set("a", "b");
      return new Response(id + server.requestIP(request)?.address);
    },
    "/static": new Response("static"),
  },
  async fetch(request, server) {
    const { pendingRequests } = this;
    server.upgrade(request, { data: { id: pendingRequests } });
    // @ts-expect-error The data has another type.
    server.upgrade(request, { data: { id: "" } });
    return undefined;
  },
  websocket: {
    data: {} as { id: number },
    message(ws, message) {
      const id: number = ws.data.id;
      ws.send(String([id, proxyInfo(ws), message.toString()]));
    },
  },
});
const serverOfBun: Bun.Server<{ id: number }> = server;
const served: number = server.stats.accepted;
const plain: Bun.Server<undefined> = serveHttp({
  unix: "/tmp/s",
  tls,
  fetch: (request) => new Response(request.url),
  proxy: { trust: "any" },
});
declare const known: Bun.Serve.Options<undefined, string>;
serveHttp({ ...known, proxy: { trust } });
// @ts-expect-error Nobody says who is trusted.
serveHttp({ fetch: () => new Response() });
// @ts-expect-error There is no such option.
serveHttp({ fetch: () => new Response(), hostnam: "", proxy: { trust } });
// @ts-expect-error Nor such a one of proxied().
serveHttp({ fetch: () => new Response(), proxy: { trust, verfy: () => false } });
// @ts-expect-error HTTP does not speak first.
serveHttp({ fetch: () => new Response(), proxy: { trust, lazy: true } });

declare const native: Bun.Socket<string>;
await writeHeader(native, { command: "LOCAL" });
native.write(encode({ tlvs: { ALPN: "h2" } }));
isClientVerified({ tlvs: {} });
const fits: BunSocket = native;
export { accepted, fits, plain, served, serverOfBun };
`;

const LIB = { lib: ["dom", "dom.asynciterable"] };

/** Checks programs with the types of Bun around them. */
async function errorsOf(
  source: string,
  types: readonly string[] = ["bun-types"],
): Promise<string> {
  const folder = await Deno.makeTempDir({ dir: folderWith(BUN_TYPES) });
  try {
    await Deno.writeTextFile(`${folder}/package.json`, '{"type":"module"}');
    await Deno.writeTextFile(`${folder}/main.ts`, source);
    return await typeErrors(folder, ["main.ts"], { ...LIB, types });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("./bun fits the types of Bun", async () => {
  assertEquals(await errorsOf(SOURCE), "");
});

Deno.test("./bun has types of its own where those of Bun are missing", async () => {
  for (const bun of ["undefined", "{ version: string }", "any"]) {
    const source = `
import { proxied, serveHttp } from ${JSON.stringify(ADAPTER)};
declare global { var Bun: ${bun}; }
export const server = serveHttp({
  port: 8080,
  fetch: (request, server) => new Response(server.requestIP(request)?.address),
  proxy: { trust: "any" },
});
server.stop();
export const handlers = proxied({
  open(socket) { socket.write("220 hello"); socket.end(); },
  data(socket, payload) { socket.write(payload.subarray(1)); socket.flush(); },
}, { trust: "any" });
`;
    assertEquals(await errorsOf(source, []), "");
    assertStringIncludes(
      await errorsOf(source.replace(".flush", ".flash"), []),
      "Property 'flash' does not exist on type 'BunSocket'",
    );
  }
});
