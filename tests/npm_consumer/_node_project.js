/** Somebody's program on Node, with the package from npm. */

import { accept, encode } from "@edgewire/proxy-protocol";
import { proxied as proxiedBun } from "@edgewire/proxy-protocol/bun";
import { decode } from "@edgewire/proxy-protocol/codec";
import { proxied, proxyHop, proxyInfo } from "@edgewire/proxy-protocol/node";
import {
  connectThrough,
  isRejected,
  REJECTED,
  SENDERS,
} from "@edgewire/proxy-protocol/testing";
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer as createHttpServer } from "node:http";
import { createServer } from "node:net";
import process from "node:process";
import { Duplex } from "node:stream";
import { text } from "node:stream/consumers";
import { ask, askHttp, HEADER } from "./_client.js";

const info = decode(new TextEncoder().encode(HEADER));
assert.equal(info?.source?.hostname, "192.0.2.7");
assert.equal(new TextDecoder().decode(encode(info)), HEADER);
assert.equal(typeof proxiedBun, "function");

const http = proxied(
  createHttpServer((request, response) => {
    const { remoteAddress } = request.socket;
    const { version } = proxyInfo(request);
    response.end(`${remoteAddress} ${proxyHop(request).hostname} ${version}`);
  }),
  { trust: ["127.0.0.1"] },
);
const answer = await askHttp(http);
assert.match(answer, /192\.0\.2\.7 127\.0\.0\.1 1$/);

const tcp = createServer(async (socket) => {
  const { conn } = await accept(Duplex.toWeb(socket), { trust: "any" });
  const payload = new Uint8Array(5);
  await conn.read(payload);
  const answer = `${conn.remoteAddr.hostname} said ${payload}`;
  await conn.write(new TextEncoder().encode(answer));
  conn.close();
});
tcp.listen(0, "127.0.0.1");
await once(tcp, "listening");
assert.equal(
  await ask(tcp.address().port, "\x01\x02\x03\x04\x05"),
  "192.0.2.7 said 1,2,3,4,5",
);

const through = await connectThrough(tcp.address(), SENDERS.haproxyV2);
through.end("\x01\x02\x03\x04\x05");
assert.equal(await text(through), "192.0.2.1 said 1,2,3,4,5");
tcp.close();

const strict = proxied(createServer(), { trust: ["loopback"] });
strict.listen(0, "127.0.0.1");
await once(strict, "listening");
const bad = await connectThrough(strict.address(), REJECTED.wrongChecksum);
assert.equal(await isRejected(bad), true);
strict.close();

console.log(`received on Node ${process.versions.node}`);
