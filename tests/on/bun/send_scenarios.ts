/** `writeHeader` to sockets of Bun; run by `bun test`. */

import assert from "node:assert/strict";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { encode, writeHeader } from "../../../conn/bun.ts";
import { connect, listen, type ListenOptions, type Socket } from "./_bun.ts";
import {
  assertBytes,
  concat,
  KEY_PAIR,
  Queue,
  utf8,
  within,
} from "./_client.ts";
import { CLIENT, HEADER, toBytes } from "./_kit.ts";

const WAYS: Record<string, Partial<ListenOptions>> = {
  TCP: { hostname: "127.0.0.1", port: 0 },
  TLS: { hostname: "127.0.0.1", port: 0, tls: KEY_PAIR },
  "a UNIX socket": { unix: join(tmpdir(), `send-${process.pid}`) },
};

for (const [name, way] of Object.entries(WAYS)) {
  test(`Bun: writeHeader() comes before what is written then, over ${name}`, async () => {
    const chunks = new Queue<Uint8Array>();
    const listener = listen({
      ...way,
      socket: { data: (_, payload) => chunks.add(toBytes(payload)) },
    });
    try {
      const socket = await connect({
        ...way,
        ...("port" in way && { port: listener.port }),
        ...("tls" in way && { tls: { ...KEY_PAIR, ca: KEY_PAIR.cert } }),
        socket: {
          data() {},
          async open(socket) {
            await writeHeader(socket, CLIENT);
            socket.write("hello");
          },
        },
      });
      const expected = concat([HEADER, utf8("hello")]);
      let received = new Uint8Array();
      while (received.length < expected.length) {
        received = concat([received, await chunks.next("the header")]);
      }
      assertBytes(received, expected);
      socket.terminate();
    } finally {
      listener.stop(true);
    }
  });
}

test("Bun: writeHeader() rejects when the socket is closed, and writes nothing of a wrong header", async () => {
  const chunks: Uint8Array[] = [];
  const closed = Promise.withResolvers<void>();
  const listener = listen({
    hostname: "127.0.0.1",
    port: 0,
    socket: {
      data: (_, payload) => void chunks.push(toBytes(payload)),
      close: () => closed.resolve(),
    },
  });
  try {
    const socket: Socket = await connect({
      hostname: "127.0.0.1",
      port: listener.port,
      socket: { data() {} },
    });
    const wrong = { ...CLIENT, source: { ...CLIENT.source, port: 65536 } };
    await assert.rejects(() => writeHeader(socket, wrong), RangeError);
    assert.throws(() => encode(wrong), RangeError);
    socket.terminate();
    await assert.rejects(
      () => writeHeader(socket, CLIENT),
      /Cannot write the header: the socket is closed/,
    );
    await within(closed.promise, "the end");
    assert.deepEqual(chunks, []);
  } finally {
    listener.stop(true);
  }
});
