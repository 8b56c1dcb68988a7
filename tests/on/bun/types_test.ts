/** The types of Bun fit those of `./bun`, checked by TypeScript with `bun-types`. */

import { assert } from "@std/assert";
import { NPM_INSTALL } from "../../_npm.ts";
import { BUN_TYPES, TYPESCRIPT } from "../../_versions.ts";
import { run } from "./_run.ts";

const ADAPTER = new URL("../../../conn/bun.ts", import.meta.url).pathname;

/** Not a file of its own: Deno would check it, and knows no Bun. */
const SOURCE = `
import {
  type BunSocket, proxied, proxyHop, proxyInfo, type ProxyInfo, relay, serveHttp, upgradeTls,
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

// Apart from it, the socket is named.
const handlers = proxied({
  open(socket: Bun.Socket) { socket.end(); },
  data(socket, payload) { socket.write(payload); },
}, { trust });
Bun.listen({ unix: "/tmp/s", tls, socket: handlers });
Bun.listen({ hostname: "", port: 1, socket: { ...handlers, drain() {} } });
const accepted: number = handlers.stats.accepted;

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
const ofBun: Bun.Server<{ id: number }> = server;
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
const fits: BunSocket = native;
export { accepted, fits, ofBun, plain, served };
`;

const CONFIG = {
  compilerOptions: {
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    target: "esnext",
    module: "esnext",
    moduleResolution: "bundler",
    allowImportingTsExtensions: true,
    noEmit: true,
    skipLibCheck: true,
    lib: ["esnext", "dom", "dom.asynciterable"],
    types: ["bun-types"],
  },
  files: ["main.ts"],
};

Deno.test("./bun fits the types of Bun", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${folder}/package.json`, "{}");
    await Deno.writeTextFile(`${folder}/main.ts`, SOURCE);
    await Deno.writeTextFile(`${folder}/tsconfig.json`, JSON.stringify(CONFIG));
    for (
      const command of [
        [...NPM_INSTALL, TYPESCRIPT, BUN_TYPES],
        ["npx", "tsc", "-p", "."],
      ] as const
    ) {
      const { success, all } = await run([...command], folder);
      assert(success, all);
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
