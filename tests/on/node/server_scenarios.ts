/** `proxied()` around servers of `node:net` and `node:tls`; run by `node_test.ts`. */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { once } from "node:events";
import { createServer as createHttpServer } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import { createServer, Socket } from "node:net";
import { Duplex } from "node:stream";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { createServer as createTlsServer, TLSSocket } from "node:tls";
import { encode } from "../../../codec/mod.ts";
import {
  accept,
  type NodeListenerOptions,
  proxied,
  proxyHop,
  proxyInfo,
  ProxyProtocolError,
} from "../../../conn/node.ts";
import { countListeners } from "../../conn/_signal.ts";
import {
  CLIENT,
  Client,
  closed,
  connectionsOf,
  dial,
  dialTls,
  echo,
  HEADER,
  KEY_PAIR,
  listening,
  pattern,
  portOf,
  TRUST,
  until,
  within,
} from "./_kit.ts";

const ENDS = JSON.stringify(CLIENT);

test("proxied() gives back the server, and listeners of before and after see the client", async () => {
  const seen: string[] = [];
  const server = createServer();
  server.on("connection", (socket) => {
    seen.push(`before ${socket.remoteAddress}`);
  });
  const same = proxied(server, { trust: TRUST });
  assert.equal(same, server);
  same.on("connection", echo);
  await listening(server, async (port) => {
    same.once("connection", (socket) => {
      seen.push(`while it listens ${socket.remoteAddress}`);
    });
    for (const chunks of [[HEADER, "x"], [Buffer.concat([HEADER, HEADER])]]) {
      const client = await dial(port, ...chunks);
      assert((await client.until("\n")).startsWith(ENDS));
      client.socket.end();
      await client.rest();
    }
  });
  assert.deepEqual(seen, [
    "before 192.0.2.7",
    "while it listens 192.0.2.7",
    "before 192.0.2.7",
  ]);
  const expected = { accepted: 2, direct: 0, local: 0, pending: 0 };
  assert.deepEqual(same.stats, { ...expected, rejected: {} });
});

test("proxied() wraps a server that listens already", async () => {
  const server = createServer(echo);
  await listening(server, async (port) => {
    proxied(server, { trust: TRUST });
    const client = await dial(port, HEADER);
    assert((await client.until("\n")).startsWith(ENDS));
    client.socket.end();
  });
});

test("proxied() wraps a server once", () => {
  const server = proxied(createServer(echo), { trust: TRUST });
  assert.throws(() => proxied(server, { trust: TRUST }), {
    name: "TypeError",
    message: "Cannot wrap the server: wrapped already",
  });
});

test("a socket that was accepted is not accepted again: it shows what was claimed", async () => {
  const server = createServer((socket) => {
    accept(socket, { trust: TRUST }).then(() => {
      const again = () => inner.emit("connection", socket);
      assert.throws(again, { name: "TypeError", message: /accepted already/ });
      assert.rejects(accept(socket, { trust: "any" }), { name: "TypeError" })
        .then(() => socket.resume().end("rejected"))
        .catch((error) => socket.resume().end(String(error)));
    }, () => socket.destroy());
  });
  const inner = proxied(createServer(echo), { trust: "any" });
  await listening(server, async (port) => {
    const client = await dial(port, HEADER, HEADER);
    await client.until("rejected");
    assert.equal(inner.stats.accepted, 0);
    client.socket.destroy();
  });
});

test("proxied() reads the header before TLS, glued to the ClientHello and byte by byte", async () => {
  const hops: unknown[] = [];
  const server = proxied(createTlsServer(KEY_PAIR, echo), { trust: TRUST });
  server.on("secureConnection", (socket) => {
    assert.equal(proxyInfo(socket)?.version, 1);
    hops.push(proxyHop(socket));
  });
  await listening(server, async (port) => {
    const payload = pattern(1 << 20);
    for (const isBytewise of [false, true]) {
      const client = new Client(await dialTls(port, { isBytewise }));
      assert((await client.until("\n")).startsWith(ENDS));
      const start = client.received.indexOf("\n") + 1;
      client.socket.write(payload);
      const received = await client.take(start + payload.length);
      assert.equal(received.subarray(start).compare(payload), 0);
      client.socket.end();
      await client.rest();
    }
  });
  assert.equal(hops.length, 2);
});

test("proxied() tells the client of a failed handshake too", async () => {
  const server = proxied(createTlsServer(KEY_PAIR), { trust: TRUST });
  await listening(server, async (port) => {
    const failure = once(server, "tlsClientError");
    const client = await dial(port, HEADER, "this is not TLS\r\n");
    const [, socket] = await within(failure, "the failure");
    assert.equal(socket.remoteAddress, CLIENT.remoteAddress);
    client.socket.destroy();
  });
});

for (
  const [name, create] of Object.entries({
    "node:net": () => createServer(),
    "node:http": () => createHttpServer(),
    "node:tls": () => createTlsServer(KEY_PAIR),
    "node:https": () => createHttpsServer(KEY_PAIR),
  })
) {
  test(`verify of a server of ${name} is called with a socket of node:net`, async () => {
    const { promise: asked, resolve: ask } = Promise.withResolvers<Socket>();
    const server = proxied(create(), {
      trust: TRUST,
      verify: (_info, socket) => {
        ask(socket);
        return false;
      },
    });
    await listening(server, async (port) => {
      const client = await dial(port, HEADER);
      const socket = await within(asked, "verify");
      assert(socket instanceof Socket && !(socket instanceof TLSSocket));
      assert.equal(socket.setNoDelay(true), socket);
      await client.rest();
    });
  });
}

test("proxied() counts direct and LOCAL connections and refusals by code, and reports them once", async () => {
  const told: string[] = [];
  const options: NodeListenerOptions = {
    trust: (hop) => "port" in hop && hop.port !== 0,
    header: "optional",
    onReject: (error) => {
      assert(error instanceof ProxyProtocolError);
      assert(error.hop && "port" in error.hop);
      told.push(error.code);
      throw new Error("an observer's own mistake");
    },
  };
  const server = proxied(createServer(echo), options);
  await listening(server, async (port) => {
    const good = [encode({ command: "LOCAL" }), HEADER, "EHLO\r\n"];
    for (const bytes of good) {
      const client = await dial(port, bytes);
      await client.until("\n");
      client.socket.end();
      await client.rest();
    }
    for (const bytes of ["PROXY TCP4 x\r\n", "PROXY TCP6 ::1", ""]) {
      const client = await dial(port);
      client.socket.end(bytes);
      await client.rest();
    }
  });
  assert.deepEqual(told, ["address", "incomplete"]);
  assert.deepEqual(server.stats, {
    accepted: 3,
    direct: 1,
    local: 1,
    pending: 0,
    rejected: { address: 1, incomplete: 1, empty: 1 },
  });
});

test("proxied() rejects who has waited longest over maxPending", async () => {
  const server = proxied(createServer(echo), { trust: TRUST, maxPending: 2 });
  await listening(server, async (port) => {
    const silent = [await dial(port), await dial(port)];
    await until("two to be pending", () => server.stats.pending === 2);
    const third = await dial(port, HEADER);
    await third.until("\n");
    assert.deepEqual(server.stats.rejected, { overload: 1 });
    assert.equal(await silent[0]?.rest(), "");
    await silent[1]?.write(HEADER);
    await silent[1]?.until("\n");
    for (const { socket } of [...silent, third]) socket.end();
  });
});

test("proxied() closes a header that is one byte short at the deadline, and nobody else", async () => {
  const server = proxied(createServer(echo), { trust: TRUST, timeout: 1000 });
  await listening(server, async (port) => {
    const good = await dial(port, HEADER);
    const short = await dial(port, HEADER.subarray(0, -1));
    assert.equal(await short.rest(), "");
    assert.deepEqual(server.stats.rejected, { timeout: 1 });
    // The good one has been idle for longer than the deadline.
    await good.write("still here");
    await good.until("still here");
    good.socket.end();
    await good.rest();
  });
});

test("proxied() lets a good connection in beside silent, slow and 200 bad ones", async () => {
  const server = proxied(createServer(echo), { trust: TRUST, timeout: 60_000 });
  await listening(server, async (port) => {
    const silent = await dial(port);
    const slow = await dial(port, HEADER.subarray(0, 1));
    const bad = await Promise.all(
      Array.from({ length: 200 }, () => dial(port, "GET / HTTP/1.1\r\n\r\n")),
    );
    const good = await dial(port, HEADER);
    await good.until("\n");
    for (const client of bad) await client.rest();
    assert.equal(server.stats.accepted, 1);
    assert.equal(server.stats.pending, 2);
    assert.deepEqual(server.stats.rejected, { signature: 200 });
    for (const { socket } of [silent, slow, good]) socket.destroy();
  });
});

test("proxied() counts pending sockets among the connections, and closes them with the server", async () => {
  const server = proxied(createServer(echo), { trust: TRUST, timeout: 60_000 });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const port = portOf(server);
  const good = await dial(port, HEADER);
  await good.until("\n");
  const silent = await dial(port);
  const begun = await dial(port, HEADER.subarray(0, 7));
  await until("two to be pending", () => server.stats.pending === 2);
  assert.equal(await connectionsOf(server), 3);
  const isClosed = closed(server);
  assert.equal(await silent.rest(), "");
  assert.equal(await begun.rest(), "");
  assert.equal(server.listening, false);
  await good.write("still served"); // as of any server that closes
  await good.until("still served");
  good.socket.end();
  await isClosed;
  assert.deepEqual(server.stats.rejected, { aborted: 2 });
});

test("proxied() listens again after it was closed", async () => {
  const server = proxied(createServer(echo), { trust: TRUST });
  for (let round = 0; round < 2; round++) {
    await listening(server, async (port) => {
      const client = await dial(port, HEADER);
      await client.until("\n");
      client.socket.end();
    });
  }
  assert.equal(server.stats.accepted, 2);
});

test("proxied() closes the server when its signal fires", async () => {
  const stop = new AbortController();
  const { signal } = stop;
  const server = proxied(createServer(echo), { trust: TRUST, signal });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const silent = await dial(portOf(server));
  await until("one to be pending", () => server.stats.pending === 1);
  const isClosed = once(server, "close");
  stop.abort();
  await silent.rest();
  await within(isClosed, "the server to close");
  assert.deepEqual(server.stats.rejected, { aborted: 1 });
});

test("proxied() has no listener on its signal while its server is closed", async () => {
  const stop = new AbortController();
  const { signal } = stop;
  const listeners = countListeners(signal);
  const server = proxied(createServer(echo), { trust: TRUST, signal });
  for (let round = 0; round < 2; round++) {
    await listening(server, async () => {
      assert.equal(listeners.now, 1);
      await setImmediate();
    });
    await until("no listener", () => listeners.now === 0);
  }
  const isClosed = once(server, "close");
  server.listen(0, "127.0.0.1", () => stop.abort());
  await within(isClosed, "the server to close");
  assert.equal(server.listening, false);
});

test("proxied() with a signal that has fired does not let its server listen, like listen()", async () => {
  const signal = AbortSignal.abort();
  const events: string[] = [];
  const listeners = countListeners(signal);
  for (const server of [createServer(), createHttpServer()]) {
    proxied(server, { trust: TRUST, signal });
    server.on("listening", () => events.push("listening"));
    server.listen(0, "127.0.0.1");
    await within(once(server, "close"), "the server to close");
    assert.equal(server.listening, false);
    // Nor later.
    server.listen(0, "127.0.0.1");
    await within(once(server, "close"), "the server to close again");
    assert.equal(server.listening, false);
  }
  assert.equal(listeners.now, 0);
  assert.deepEqual(events, ["listening", "listening"]); // the later ones
});

test("proxied() with a signal that has fired closes a server that listens already", async () => {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  proxied(server, { trust: TRUST, signal: AbortSignal.abort() });
  await within(once(server, "close"), "the server to close");
});

test("proxied() lets the end be heard that came while verify was asked", async () => {
  const { promise: asked, resolve: ask } = Promise.withResolvers<void>();
  const { promise: answer, resolve: allow } = Promise.withResolvers<true>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on("end", () => socket.end("bye"));
    socket.resume();
  });
  proxied(server, {
    trust: TRUST,
    verify: () => (ask(), answer),
  });
  await listening(server, async (port) => {
    const client = await dial(port, HEADER);
    await asked;
    client.socket.end();
    await once(client.socket, "finish");
    for (let turn = 0; turn < 20; turn++) await setImmediate();
    allow(true);
    assert.equal(await client.rest(), "bye");
  });
});

test("proxied() rejects wrong options", () => {
  const server = createServer();
  assert.throws(() => proxied(server, { trust: ["all"] }), TypeError);
  assert.throws(
    () => proxied(server, { trust: TRUST, maxPending: 0 }),
    RangeError,
  );
  const misspelt = { trust: TRUST, timout: 100 };
  assert.throws(() => proxied(server, misspelt), TypeError);
  assert.equal(Object.hasOwn(server, "emit"), false);
});

test("proxied() says what it wraps, where it is given no server", () => {
  const app = Object.assign(() => {}, { emit() {}, listen() {} });
  for (const given of [undefined, null, "8080", {}, app, new Duplex()]) {
    assert.throws(
      () => Reflect.apply(proxied, undefined, [given, { trust: TRUST }]),
      {
        name: "TypeError",
        message: "Cannot wrap the server: expected one of node:net, " +
          "node:tls, node:http, node:https or node:http2",
      },
    );
  }
  assert.throws(() => Reflect.apply(proxied, undefined, [createServer()]), {
    name: "TypeError",
    message: "Cannot read options: expected an object, received undefined",
  });
});
