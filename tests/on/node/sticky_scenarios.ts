/** Sockets that are sent to a worker: their header goes with them, and so does the payload that came with it. */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import cluster, { type Worker } from "node:cluster";
import { once } from "node:events";
import { createServer, Socket } from "node:net";
import { after, test } from "node:test";
import { connect as connectTls, TLSSocket } from "node:tls";
import { fileURLToPath } from "node:url";
import { encode } from "../../../codec/mod.ts";
import {
  accept,
  adopt,
  type ExportedInfo,
  exportInfo,
  gcpPscConnectionId,
  type NodeListenerOptions,
  proxied,
  proxyHop,
  proxyInfo,
  ready,
} from "../../../conn/node.ts";
import { HEADERS, V1 } from "../_headers.ts";
import { seeSocket } from "../_seen.ts";
import type { Sent } from "./_worker.ts";
import {
  dial,
  HEADER,
  KEY_PAIR,
  listening,
  pattern,
  TRUST,
  until,
  within,
} from "./_kit.ts";

/** Workers, by how messages are written. */
const WORKERS: Partial<Record<"json" | "advanced", Worker>> = {};

function workerOf(serialization: "json" | "advanced"): Worker {
  cluster.setupPrimary({
    exec: fileURLToPath(new URL("_worker.ts", import.meta.url)),
    serialization,
  });
  return WORKERS[serialization] ??= cluster.fork();
}

after(() => {
  for (const worker of Object.values(WORKERS)) worker.kill();
});

/** A server that sends its sockets to a worker; `seen` is what it saw of them. */
function sending(
  work: Sent["work"],
  options: NodeListenerOptions,
  seen: unknown[] = [],
  worker: Worker = workerOf("json"),
) {
  const server = createServer({ pauseOnConnect: true }, (socket) => {
    seen.push(seeSocket(socket, proxyHop(socket), proxyInfo(socket)));
    const message: Sent = { work, proxy: exportInfo(socket) };
    worker.send(message, socket);
  });
  return proxied(server, options);
}

const PAYLOAD = pattern(300_000);

const ENDS = {
  source: { transport: "tcp", hostname: "192.0.2.7", port: 51234 },
  destination: { transport: "tcp", hostname: "198.51.100.9", port: 8443 },
} as const;

/** How headers are believed. */
const CASES: Record<
  string,
  [header: Uint8Array, options: NodeListenerOptions]
> = {
  ...Object.fromEntries(
    Object.entries(HEADERS).map((
      [name, { bytes }],
    ) => [name, [bytes, { trust: TRUST }]]),
  ),
  "a header that is discarded": [
    V1.bytes,
    { trust: TRUST, header: "discard" },
  ],
  "a header of endless length": [
    V1.bytes,
    { trust: TRUST, maxLength: Infinity },
  ],
  "a header that leniency accepts": [
    Buffer.from("PROXY TCP6 192.0.2.1 ::ffff:198.51.100.1 1111 443\r\n"),
    { trust: TRUST, mixedTcp6: true, unmap: true, versions: [1] },
  ],
  "no header": [new Uint8Array(), { trust: "none", untrusted: "direct" }],
  "a header of nobody": [V1.bytes, { trust: "none", untrusted: "direct" }],
};

for (const serialization of ["json", "advanced"] as const) {
  for (const [name, [header, options]] of Object.entries(CASES)) {
    test(`adopt() shows what exportInfo() saw, by ${serialization}: ${name}`, async () => {
      const seen: unknown[] = [];
      const worker = workerOf(serialization);
      const server = sending("echo", options, seen, worker);
      const isPayload = options.trust === "none";
      const payload = isPayload ? Buffer.concat([header, PAYLOAD]) : PAYLOAD;
      await listening(server, async (port) => {
        const client = await dial(port, Buffer.concat([header, PAYLOAD]));
        const line = await client.until("\n");
        const start = line.indexOf("\n") + 1;
        assert.deepEqual(
          JSON.parse(line.slice(0, start)),
          JSON.parse(JSON.stringify(seen[0])),
        );
        const all = await client.take(start + payload.length);
        assert.equal(all.subarray(start).compare(payload), 0);
        client.socket.destroy();
      });
    });
  }
}

/** Sends its sockets with the first chunk of the payload, like masters that choose by it. */
function sendingWithChunk() {
  const worker = workerOf("json");
  const server = createServer((socket) => {
    socket.on("data", (chunk) => {
      const read = Buffer.from(chunk).toString("base64");
      const proxy = exportInfo(socket);
      worker.send({ work: "echo", proxy, read } satisfies Sent, socket);
    });
  });
  return proxied(server, { trust: TRUST });
}

for (
  const [name, makeServer] of Object.entries({
    "at once": () => sending("echo", { trust: TRUST }),
    "with their first chunk": sendingWithChunk,
  })
) {
  test(`adopt() gets every byte once, of many sockets that are sent ${name}`, async () => {
    const payload = pattern(100_000);
    await listening(makeServer(), async (port) => {
      await Promise.all(Array.from({ length: 40 }, async (_, i) => {
        const all = Buffer.concat([HEADER, payload]);
        // From within the header to far behind it.
        const cut = (i % 8) * 12 + (i > 20 ? 5000 : 0);
        const client = await dial(
          port,
          all.subarray(0, cut),
          all.subarray(cut),
        );
        const text = await client.until("\n");
        const start = text.indexOf("\n") + 1;
        const received = await client.take(start + payload.length);
        assert.equal(received.subarray(start).compare(payload), 0);
        client.socket.end();
        await client.rest();
        assert.equal(client.received.length, start + payload.length);
      }));
    });
  });
}

test("adopt(): TLS and HTTP that a worker begins show the client", async () => {
  const http = sending("http", { trust: TRUST });
  await listening(http, async (port) => {
    const request = "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    const client = await dial(
      port,
      Buffer.concat([HEADER, Buffer.from(request)]),
    );
    assert.match(await client.rest(), /"hostname":"192\.0\.2\.7","port":51234/);
  });
  const tls = sending("tls", { trust: TRUST });
  await listening(tls, async (port) => {
    const { socket: tcp } = await dial(port, HEADER);
    const socket = connectTls({
      socket: tcp,
      ca: KEY_PAIR.cert,
      servername: "localhost",
    });
    const [line] = await within(once(socket, "data"), "a line");
    assert.match(`${line}`, /"hostname":"192\.0\.2\.7","port":51234/);
    socket.destroy();
  });
});

test("exportInfo() returns plain data, and the same again", async () => {
  const exported = Promise.withResolvers<ExportedInfo[]>();
  const server = createServer((socket) => {
    exported.resolve([exportInfo(socket), exportInfo(socket)]);
    socket.destroy();
  });
  proxied(server, { trust: TRUST });
  await listening(server, async (port) => {
    await dial(port, Buffer.concat([HEADER, Buffer.from("payload")]));
    const [first, second] = await within(exported.promise, "an export");
    assert.equal(first, second);
    assert.deepEqual(JSON.parse(JSON.stringify(first)), first);
    assert.deepEqual(structuredClone(first), first);
    assert.equal(first && atob(first.payload), "payload");
  });
});

test("adopt() takes readers of TLVs, and what the option encrypted has set", async () => {
  const done = Promise.withResolvers<void>();
  const options = { define: [gcpPscConnectionId] };
  const server = createServer((socket) => {
    const exported = structuredClone(exportInfo(socket));
    const isEncrypted = Reflect.get(socket, "encrypted");
    for (const known of [{}, options]) {
      const fresh = adopt(new Socket(), exported, known);
      const { tlvs = {} } = proxyInfo(fresh) ?? {};
      assert.deepEqual(
        Reflect.get(tlvs, gcpPscConnectionId.tlvName),
        known === options ? 258n : undefined,
      );
      assert.equal(Reflect.get(fresh, "encrypted"), isEncrypted);
    }
    // @ts-expect-error There is no such option.
    assert.throws(() => adopt(new Socket(), exported, { defin: [] }), {
      name: "TypeError",
      message: /did you mean "define"/,
    });
    socket.destroy();
    if (isEncrypted === true) done.resolve();
  });
  proxied(server, { trust: TRUST, encrypted: true, ...options });
  const xE0 = Uint8Array.of(0, 0, 0, 0, 0, 0, 1, 2);
  await listening(server, async (port) => {
    await (await dial(port, encode({ ...ENDS, tlvs: { xE0 } }))).rest();
    const tlvs = { xE0, SSL: true, SSL_CLIENT: 1, SSL_VERIFY: 0 };
    await dial(port, encode({ ...ENDS, tlvs }));
    await within(done.promise, "both");
  });
});

test("exportInfo() keeps what a listener of 'data' has not been given", async () => {
  const told = Promise.withResolvers<string[]>();
  const server = createServer(async (socket) => {
    const chunks: string[] = [];
    socket.read(0);
    await until("both chunks", () => socket.readableLength > 4);
    socket.on("data", (chunk) => {
      chunks.push(`${chunk}`);
      chunks.push(atob(exportInfo(socket).payload));
      told.resolve(chunks);
      socket.destroy();
    });
  });
  const { stats } = proxied(server, { trust: TRUST });
  await listening(server, async (port) => {
    const client = await dial(port, HEADER, "read");
    await until("the first", () => stats.accepted === 1);
    await client.write("unread");
    assert.deepEqual(await within(told.promise, "chunks"), ["read", "unread"]);
    client.socket.destroy();
  });
});

test("exportInfo() refuses what was not accepted, or has no header yet", async () => {
  assert.throws(() => exportInfo(new Socket()), {
    name: "TypeError",
    message: "Cannot export the socket: not accepted in this process",
  });
  // @ts-expect-error It is no socket.
  assert.throws(() => exportInfo({}), TypeError);
  const early = {
    name: "TypeError",
    message: /its header has not arrived, wait for ready\(socket\)/,
  };
  const lazy = createServer((socket) => {
    assert.throws(() => exportInfo(socket), early);
    ready(socket).then(() => {
      const exported = JSON.stringify(exportInfo(socket));
      socket.end(exported, () => socket.destroy()); // it hears no end any more
    });
    socket.write("220\n");
  });
  proxied(lazy, {
    trust: TRUST,
    lazy: true,
    verify(_info, socket) {
      assert.throws(() => exportInfo(socket), early);
      return true;
    },
  });
  await listening(lazy, async (port) => {
    const client = await dial(port);
    await client.until("220\n");
    await client.write(HEADER);
    assert.match(await client.rest(), /"hostname":"192\.0\.2\.7"/);
    client.socket.destroy();
  });
  const tls = new TLSSocket(new Socket());
  await listening(
    createServer(async (socket) => {
      await accept(socket, { trust: TRUST });
      assert.throws(() => exportInfo(new TLSSocket(socket)), {
        name: "TypeError",
        message: /^Cannot export a TLS socket/,
      });
      socket.setEncoding("utf8");
      assert.throws(() => exportInfo(socket), /has an encoding/);
      socket.destroy();
    }),
    async (port) => {
      const client = await dial(port, HEADER);
      await client.rest();
    },
  );
  tls.destroy();
});

test("adopt() takes nothing but what exportInfo() has made", async () => {
  const done = Promise.withResolvers<void>();
  await listening(
    createServer(async (socket) => {
      await accept(socket, { trust: TRUST });
      const exported = exportInfo(socket);
      const { header, hop, ...rest } = exported;
      const wrong: unknown[] = [
        undefined,
        null,
        "",
        {},
        [exported],
        { ...exported, form: "proxy-protocol 0" },
        { header, ...rest },
        { ...exported, hop: { hostname: "127.0.0.1", port: 1 } },
        { ...exported, payload: new Uint8Array() },
        { ...exported, header: "PROXY TCP4" },
        { ...exported, header: { ...header, raw: undefined } },
        { ...exported, header: { ...header, raw: btoa("PROXY TCP4 ") } },
        { ...exported, header: { ...header, raw: btoa("GET / HTTP/1.1") } },
        { ...exported, header: { ...header, raw: "" } },
        { ...exported, header: { ...header, decode: { verify: 1 } } },
        { ...exported, isEncrypted: undefined },
        { ...exported, shown: {} },
        {
          ...exported,
          shown: { remoteAddr: hop, localAddr: { transport: "tcp" } },
        },
      ];
      const fresh = new Socket();
      for (const one of wrong) {
        assert.throws(() => adopt(fresh, one), {
          name: "TypeError",
          message: /^Cannot adopt the socket: /,
        });
        assert.equal(proxyHop(fresh), undefined);
      }
      assert.throws(
        () => adopt(socket, exported),
        /accepted or adopted already/,
      );
      assert.equal(adopt(fresh, exported), fresh);
      assert.throws(
        () => adopt(fresh, exported),
        /accepted or adopted already/,
      );
      // @ts-expect-error It is no socket.
      assert.throws(() => adopt(undefined, exported), TypeError);
      assert.deepEqual(proxyInfo(fresh), proxyInfo(socket));
      assert.notEqual(
        proxyInfo(fresh)?.raw.buffer,
        proxyInfo(socket)?.raw.buffer,
      );
      assert.equal(proxyInfo(fresh)?.raw.buffer.byteLength, HEADER.length);
      socket.destroy();
      done.resolve();
    }),
    async (port) => {
      await dial(port, HEADER);
      await within(done.promise, "all");
    },
  );
});

test("adopt(): what looks like a header in the payload is payload", async () => {
  const server = sending("echo", { trust: TRUST });
  await listening(server, async (port) => {
    const forged = "PROXY TCP4 203.0.113.9 203.0.113.9 1 1\r\n";
    const client = await dial(
      port,
      Buffer.concat([HEADER, Buffer.from(forged)]),
    );
    const text = await client.until(forged);
    assert.match(text, /"remote":\{"hostname":"192\.0\.2\.7","port":51234/);
    client.socket.destroy();
  });
});
