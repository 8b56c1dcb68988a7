/**
 * Services by port, as an XMPP server has them: plain with STARTTLS, and TLS
 * right after the header; run by `node_test.ts`.
 */

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { test } from "node:test";
import {
  connect as connectTls,
  createServer as createTlsServer,
  type TLSSocket,
} from "node:tls";
import { proxied, proxyInfo } from "../../../conn/node.ts";
import {
  Client,
  dial,
  dialTls,
  HEADER,
  KEY_PAIR,
  listening,
  TRUST,
  within,
} from "./_kit.ts";

/** What the header says, whatever is built upon the socket by now. */
const SOURCE = { transport: "tcp", hostname: "192.0.2.7", port: 51234 };

/** Ends TLS for whoever hands it a socket. */
function tlsEnd() {
  return createTlsServer(KEY_PAIR, (socket) => {
    socket.on("error", () => {});
    socket.end(`${JSON.stringify(proxyInfo(socket)?.source)}\n`);
  });
}

/** Greets, and goes on with TLS when it is asked to. */
function greet(socket: Socket): void {
  socket.on("error", () => {});
  socket.write(`hello ${socket.remoteAddress}\n`);
  socket.once("readable", () => {
    const line = String(socket.read());
    if (line !== "STARTTLS\n") return void socket.destroy();
    socket.write("PROCEED\n", () => tlsEnd().emit("connection", socket));
  });
}

async function lineOf(socket: TLSSocket): Promise<string> {
  return (await new Client(socket).rest()).trim();
}

test("a plain service greets behind the header, then goes on with STARTTLS", async () => {
  await listening(
    proxied(createServer(greet), { trust: TRUST }),
    async (port) => {
      const client = await dial(port, HEADER);
      assert.equal(await client.until("\n"), "hello 192.0.2.7\n");
      await client.write("STARTTLS\n");
      await client.until("PROCEED\n");
      client.socket.removeAllListeners("data");
      const secure = connectTls({
        socket: client.socket,
        ca: KEY_PAIR.cert,
        servername: "localhost",
      });
      await within(once(secure, "secureConnect"), "the handshake");
      assert.deepEqual(JSON.parse(await lineOf(secure)), SOURCE);
      secure.destroy();
    },
  );
});

test("a service of TLS takes the header before the handshake", async () => {
  await listening(proxied(tlsEnd(), { trust: TRUST }), async (port) => {
    const secure = await dialTls(port);
    assert.deepEqual(JSON.parse(await lineOf(secure)), SOURCE);
    secure.destroy();
  });
});

test("a port without a service is dropped with a report, after its header", async () => {
  const services = new Map<number, (socket: Socket) => void>();
  const reports: string[] = [];
  const server = createServer((socket) => {
    services.get(socket.localPort ?? 0)?.(socket);
  });
  proxied(server, {
    trust: TRUST,
    verify: (info) =>
      info.destination?.port !== undefined &&
      services.has(info.destination.port),
    onReject: ({ code }) => void reports.push(code),
  });
  await listening(server, async (port) => {
    const dropped = await dial(port, HEADER);
    assert.equal(await dropped.rest(), "");
    services.set(8443, greet); // the port that the client dialled
    const client = await dial(port, HEADER);
    assert.equal(await client.until("\n"), "hello 192.0.2.7\n");
    client.socket.destroy();
  });
  assert.deepEqual(reports, ["verify"]);
});
