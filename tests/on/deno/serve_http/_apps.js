/** An app of Hono, unchanged, behind `serveHttp()`. */

import { Hono } from "hono";
import { getConnInfo, upgradeWebSocket } from "hono/deno";

const { proxyInfo, serveHttp } = await import(Deno.args[0]);

const hono = new Hono();
hono.get("/", (c) => {
  const { address, port } = getConnInfo(c).remote;
  const { version } = proxyInfo(c.req.raw);
  return c.text(`hono sees ${address} ${port} by v${version}`);
});
hono.get(
  "/socket",
  upgradeWebSocket((c) => ({
    onOpen(_event, socket) {
      socket.send(`hono opens for ${getConnInfo(c).remote.address}`);
    },
  })),
);

const HEADER = "PROXY TCP4 192.0.2.7 198.51.100.9 51234 8443\r\n";
const UPGRADE = "Connection: Upgrade\r\nUpgrade: websocket\r\n" +
  "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n";

async function ask(port, path, headers, expected) {
  const client = await Deno.connect({ hostname: "127.0.0.1", port });
  await client.write(new TextEncoder().encode(
    `${HEADER}GET ${path} HTTP/1.1\r\nHost: localhost\r\n${headers}\r\n`,
  ));
  const buffer = new Uint8Array(65536);
  let received = "";
  while (!received.includes(expected)) {
    const count = await client.read(buffer);
    if (count === null) throw new Error(`Received ${received}`);
    received += new TextDecoder().decode(buffer.subarray(0, count));
  }
  client.close();
  console.log(expected);
}

const server = serveHttp({
  hostname: "127.0.0.1",
  port: 0,
  onListen() {},
  proxy: { trust: ["127.0.0.1"] },
}, hono.fetch);
const { port } = server.addr;
await ask(port, "/", "", "hono sees 192.0.2.7 51234 by v1");
await ask(port, "/socket", UPGRADE, "hono opens for 192.0.2.7");
await server.shutdown();
