/** TLS that begins after the header: HTTP/1.1 and HTTP/2, chosen by ALPN. */

import { assert, assertEquals } from "@std/assert";
import { once } from "node:events";
import { connect as connectHttp2 } from "node:http2";
import { connect } from "node:net";
import { connect as connectTls } from "node:tls";
import type { DenoNetAddr } from "../../../../conn/deno.ts";
import { pattern } from "../../../_bytes.ts";
import { within } from "../../../_within.ts";
import { CERT, KEY } from "../../../conn/_loopback.ts";
import {
  CLIENT,
  Client,
  HEADER,
  headerOf,
  HOSTNAME,
  request,
  serve,
  until,
  withInner,
} from "./_kit.ts";

const KEY_PAIR = { cert: CERT, key: KEY };

/** Dials by HTTP/2, after a header. */
async function dialHttp2(addr: DenoNetAddr, header: Uint8Array) {
  const tcp = connect(addr.port, HOSTNAME);
  await once(tcp, "connect");
  tcp.write(header);
  const socket = connectTls({
    socket: tcp,
    servername: "localhost",
    ca: CERT,
    ALPNProtocols: ["h2"],
  });
  await within(once(socket, "secureConnect"), "TLS");
  assertEquals(socket.alpnProtocol, "h2");
  const session = connectHttp2("https://localhost", {
    createConnection: () => socket,
  });
  session.on("error", () => {});
  return {
    /** Asks in a stream of its own. */
    async ask(path: string, body?: Uint8Array): Promise<string> {
      const method = body === undefined ? "GET" : "POST";
      const stream = session.request({ ":path": path, ":method": method });
      let received = "";
      stream.setEncoding("latin1");
      stream.on("data", (text) => received += text);
      stream.end(body);
      await within(once(stream, "end"), `an answer to ${path}`);
      return received;
    },
    async close(): Promise<void> {
      session.close();
      await within(once(session, "close"), "the end of the session");
      socket.destroy();
      tcp.destroy();
      if (!tcp.closed) await once(tcp, "close");
    },
  };
}

Deno.test("serveHttp() speaks HTTP/1.1 over TLS after the header", async () => {
  await using server = serve(
    ({ url }, { remoteAddr }) => new Response(`${url} ${remoteAddr.hostname}`),
    KEY_PAIR,
  );
  const tcp = await Deno.connect({
    hostname: HOSTNAME,
    port: server.addr.port,
  });
  await tcp.write(HEADER);
  using client = new Client(
    await Deno.startTls(tcp, { hostname: "localhost", caCerts: [CERT] }),
  );
  for (const path of ["/1", "/2"]) {
    assertEquals(
      (await client.ask(path)).body,
      `https://localhost${path} ${CLIENT.hostname}`,
    );
  }
});

Deno.test("serveHttp() speaks HTTP/2 over TLS, 20 streams at once of two clients", async () => {
  const bodies = new Map<string, number>();
  await using server = serve(async (request, { remoteAddr }) => {
    const { pathname } = new URL(request.url);
    bodies.set(pathname, (await request.arrayBuffer()).byteLength);
    return new Response(`${pathname} ${remoteAddr.hostname}`);
  }, KEY_PAIR);
  const hostnames = ["192.0.2.20", "2001:db8::20"];
  const clients = await Promise.all(
    hostnames.map((hostname) =>
      dialHttp2(server.addr, headerOf(hostname, 2000))
    ),
  );
  await Promise.all(
    clients.flatMap((client, i) =>
      Array.from({ length: 20 }, async (_, n) => {
        const path = `/${i}/${n}`;
        const body = n % 2 === 0 ? undefined : pattern(10_000 * n);
        assertEquals(await client.ask(path, body), `${path} ${hostnames[i]}`);
        assertEquals(bodies.get(path), body?.length ?? 0);
      })
    ),
  );
  for (const client of clients) await client.close();
});

Deno.test("serveHttp() answers 403 over TLS to whoever connects to its internal server", async () => {
  const { opened, servers } = withInner(() =>
    serve(() => new Response("handled"), KEY_PAIR)
  );
  await using _server = opened;
  using client = new Client(
    await Deno.connectTls({
      hostname: HOSTNAME,
      port: servers[0]?.addr.port ?? 0,
      caCerts: [CERT],
    }),
  );
  assertEquals((await client.ask("/")).status, 403);
});

Deno.test("serveHttp() with TLS survives clients without", async () => {
  await using server = serve(() => new Response("handled"), KEY_PAIR);
  using plain = await Client.dial(server);
  await plain.send(request("/"));
  assert(!(await plain.rest()).includes("handled"));
  const client = await dialHttp2(server.addr, HEADER);
  assertEquals(await client.ask("/"), "handled");
  await client.close();
  await until("none is pending", () => server.stats.pending === 0);
});
