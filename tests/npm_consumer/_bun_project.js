/** Somebody's program on Bun, with the package from npm. */

import { encode } from "@edgewire/proxy-protocol";
import { proxied } from "@edgewire/proxy-protocol/bun";
import { decode } from "@edgewire/proxy-protocol/codec";
import { proxied as proxiedNode } from "@edgewire/proxy-protocol/node";
import { connectThrough, SENDERS } from "@edgewire/proxy-protocol/testing";
import assert from "node:assert/strict";
import { createServer } from "node:http";
import process from "node:process";
import { text } from "node:stream/consumers";
import { ask, askHttp, HEADER } from "./_client.js";

const info = decode(new TextEncoder().encode(HEADER));
assert.equal(new TextDecoder().decode(encode(info)), HEADER);

const listener = globalThis.Bun.listen({
  hostname: "127.0.0.1",
  port: 0,
  socket: proxied({
    data(socket, payload) {
      socket.end(`${socket.remoteAddress} said ${payload}`);
    },
  }, { trust: ["127.0.0.1"] }),
});
assert.equal(await ask(listener.port, "hello"), "192.0.2.7 said hello");
const through = await connectThrough(listener, SENDERS.haproxyV2);
through.write("hello");
assert.equal(await text(through), "192.0.2.1 said hello");
listener.stop();

const http = proxiedNode(
  createServer((request, response) => {
    response.end(request.socket.remoteAddress);
  }),
  { trust: ["127.0.0.1"] },
);
const answer = await askHttp(http);
assert.match(answer, /192\.0\.2\.7/);

console.log(`received on Bun ${process.versions.bun}`);
