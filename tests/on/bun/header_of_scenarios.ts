/** What is told a backend of a client, from the sockets of `Bun.listen`. */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import {
  headerOf,
  proxyHop,
  proxyInfo,
  ProxyProtocolError,
  ready,
} from "../../../conn/bun.ts";
import { encode } from "../../../mod.ts";
import { BLOCK4, textHex, tlv, v2 } from "../../codec/_hex.ts";
import { HEADERS } from "../_headers.ts";
import { utf8 } from "../../_bytes.ts";
import type { Socket } from "./_bun.ts";
import { Client, Queue } from "./_client.ts";
import { type Options, serving, TRUST } from "./_kit.ts";

/** With repeated TLVs, in an order of its own. */
const HEADER = v2(
  "2111",
  BLOCK4 + tlv("ea", "01") + tlv("02", textHex("example.com")) +
    tlv("ea", "02"),
);

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

/** Runs `look` on a socket that begins with `header`. */
async function opened(
  header: Uint8Array,
  look: (socket: Socket, client: Client, port: number) => Promise<void> | void,
  options: Options = {},
): Promise<void> {
  const sockets = new Queue<Socket>();
  const open = (socket: Socket) => sockets.add(socket);
  await serving({ open }, async ({ port }) => {
    using client = await Client.dial(port);
    await client.send(header);
    await look(await sockets.next("a socket"), client, port);
  }, options);
}

for (
  const [name, { bytes }] of Object.entries({
    ...HEADERS,
    "repeated TLVs": { bytes: HEADER },
  })
) {
  test(`Bun: headerOf() of ${name}`, async () => {
    await opened(bytes, (socket) => {
      const isLocal = ["LOCAL", "UNKNOWN", "PROXY and UNSPEC"].includes(name);
      const expected = isLocal
        ? v2("2000")
        : name === "a v1 header"
        ? v2("2111", BLOCK4)
        : bytes;
      assert.equal(hexOf(encode(headerOf(socket))), hexOf(expected));
      assert.equal(proxyInfo(socket)?.raw.length, bytes.length);
      assert.equal(proxyHop(socket)?.transport, "tcp");
    });
  });
}

test("Bun: headerOf() has the real addresses of a direct peer, and of one whose header is discarded", async () => {
  const modes: [Uint8Array, Options][] = [
    [utf8("hello"), { trust: "none", untrusted: "direct" }],
    [HEADER, { header: "discard" }],
  ];
  for (const [bytes, options] of modes) {
    await opened(bytes, (socket, client, port) => {
      const host = { transport: "tcp", hostname: "127.0.0.1" };
      assert.deepEqual(headerOf(socket), {
        source: { ...host, port: client.port },
        destination: { ...host, port },
        tlvs: {},
      });
    }, options);
  }
});

test("Bun: headerOf() refuses to guess while a header is awaited, or was rejected", async () => {
  const options = { trust: TRUST, lazy: true };
  await opened(new Uint8Array(), async (socket, client) => {
    assert.throws(() => headerOf(socket), /wait for ready/);
    await client.send(HEADER);
    await ready(socket);
    assert.equal(hexOf(encode(headerOf(socket))), hexOf(HEADER));
  }, options);
  await opened(utf8("GET / HTTP/1.1\r\n"), async (socket) => {
    await assert.rejects(ready(socket), ProxyProtocolError);
    assert.throws(() => headerOf(socket), /was rejected/);
  }, options);
});
