/** `accept()` on sockets of `node:net` and `node:tls`; run by `node_test.ts`. */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Duplex, Writable } from "node:stream";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import {
  connect as connectTls,
  createServer as createTlsServer,
  TLSSocket,
} from "node:tls";
import {
  accept,
  type NodeAcceptOptions,
  proxyHop,
  proxyInfo,
  ProxyProtocolError,
} from "../../../conn/node.ts";
import { decode, encode, type ProxyInfo } from "../../../codec/mod.ts";
import {
  CAPTURES,
  CLIENT,
  Client,
  dial,
  endsOf,
  HEADER,
  KEY_PAIR,
  listening,
  pattern,
  TRUST,
  within,
} from "./_kit.ts";

const MEBIBYTE = 1 << 20;

/** What happened to one connection. */
interface Outcome {
  socket: Socket;
  info?: ProxyInfo | undefined;
  error?: unknown;
}

/** Accepts connections on a port; `next` are their outcomes in order. */
async function accepting(
  options: NodeAcceptOptions<Socket>,
  work: (port: number, next: () => Promise<Outcome>) => Promise<void>,
): Promise<void> {
  const outcomes: Promise<Outcome>[] = [];
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    const outcome = accept(socket, options).then(
      ({ info, conn }) => {
        assert.equal(conn, socket);
        conn.on("error", () => {});
        return { socket, info };
      },
      (error: unknown) => ({ socket, error }),
    );
    outcomes.push(outcome);
    server.emit("outcome");
  });
  await listening(server, async (port) => {
    let count = 0;
    const taken: Socket[] = [];
    const next = async () => {
      const index = count++;
      while (outcomes.length <= index) await once(server, "outcome");
      const outcome = outcomes[index];
      assert(outcome);
      const { socket, ...rest } = await within(outcome, "accept");
      taken.push(socket);
      return { socket, ...rest };
    };
    try {
      await work(port, next);
    } finally {
      for (const socket of taken) socket.destroy();
    }
  });
}

/** The refusal that an outcome has to be; its socket is destroyed. */
function refusal({ error, socket }: Outcome): ProxyProtocolError {
  assert(error instanceof ProxyProtocolError, String(error));
  assert(socket.destroyed);
  return error;
}

/** Ways to read a socket to its end, all of which may begin late. */
const CONSUMERS: Record<string, (socket: Socket) => Promise<Buffer>> = {
  "'data'": async (socket) => {
    const chunks: Buffer[] = [];
    socket.on("data", (chunk: Buffer) => chunks.push(chunk));
    await once(socket, "end");
    return Buffer.concat(chunks);
  },
  "'readable'": async (socket) => {
    const chunks: Buffer[] = [];
    socket.on("readable", () => {
      for (;;) {
        const chunk: Buffer | null = socket.read();
        if (chunk === null) break;
        chunks.push(chunk);
      }
    });
    await once(socket, "end");
    return Buffer.concat(chunks);
  },
  "for await": async (socket) => {
    const chunks: Buffer[] = [];
    const iterator = socket.iterator({ destroyOnReturn: false });
    for await (const chunk of iterator) chunks.push(chunk);
    return Buffer.concat(chunks);
  },
  "pipe()": async (socket) => {
    const chunks: Buffer[] = [];
    const sink = new Writable({
      write(chunk: Buffer, _encoding, done) {
        chunks.push(chunk);
        done();
      },
    });
    socket.pipe(sink);
    await once(sink, "finish");
    return Buffer.concat(chunks);
  },
};

/** How a header and its payload arrive. */
const ARRIVALS: Record<string, (bytes: Buffer, header: number) => Buffer[]> = {
  glued: (bytes) => [bytes],
  "split behind the header": (
    bytes,
    header,
  ) => [bytes.subarray(0, header), bytes.subarray(header)],
  "split in the header": (
    bytes,
    header,
  ) => [bytes.subarray(0, header - 3), bytes.subarray(header - 3)],
};

for (const [consumer, consume] of Object.entries(CONSUMERS)) {
  for (const [arrival, cut] of Object.entries(ARRIVALS)) {
    test(`accept() leaves 1 MiB to ${consumer}, ${arrival}, at once and late`, async () => {
      const payload = pattern(MEBIBYTE);
      await accepting({ trust: TRUST }, async (port, next) => {
        for (const turns of [0, 3]) {
          const whole = Buffer.concat([HEADER, payload]);
          const client = await dial(port, ...cut(whole, HEADER.length));
          client.socket.end();
          const { socket, error } = await next();
          assert.equal(error, undefined);
          assert.deepEqual(endsOf(socket), CLIENT);
          for (let i = 0; i < turns; i++) await setImmediate();
          const received: Buffer = await within(consume(socket), "the payload");
          assert.equal(received.compare(payload), 0);
          socket.end("bye"); // the peer has closed only its half
          assert.equal(await client.rest(), "bye");
        }
      });
    });
  }
}

test("accept() takes every captured header whole, split at each byte and byte by byte", async () => {
  const leniency = { mixedTcp6: true }; // of nginx
  const options = { trust: TRUST, timeout: 60_000, ...leniency };
  const consume = CONSUMERS["'data'"];
  assert(consume);
  await Promise.all(
    CAPTURES.map(({ id, header }) =>
      accepting(options, async (port, next) => {
        const expected = decode(header, leniency);
        const whole = Buffer.concat([header, Buffer.from("payload")]);
        const bytewise = Array.from(whole, (byte) => Buffer.of(byte));
        const splits = Array.from(
          header,
          (_, at) => [whole.subarray(0, at), whole.subarray(at)],
        );
        for (const chunks of [[whole], bytewise, ...splits]) {
          const client = await dial(port, ...chunks);
          client.socket.end();
          const { socket, info, error } = await next();
          assert.equal(error, undefined, id);
          assert.deepEqual(info, expected, id);
          const received: Buffer = await within(consume(socket), id);
          assert.equal(received.toString(), "payload", id);
          socket.destroy();
          client.socket.destroy();
        }
      })
    ),
  );
});

test("accept() lets the end be heard when it comes with the header", async () => {
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true });
  await listening(server, async (port) => {
    const arrival = once(server, "connection");
    const client = await dial(port);
    const [socket] = await arrival;
    client.socket.end(HEADER);
    await once(client.socket, "finish");
    const { conn } = await accept<Socket>(socket, { trust: TRUST });
    conn.resume();
    await within(once(conn, "end"), "the end");
    conn.end("bye");
    assert.equal(await client.rest(), "bye");
  });
});

test("accept() hears nothing of a socket once the header is in", async () => {
  await accepting({ trust: TRUST, timeout: 60_000 }, async (port, next) => {
    const client = await dial(port, HEADER);
    const { socket } = await next();
    for (const event of ["readable", "end", "close"]) {
      const before = event === "end" ? 1 : 0; // that of net.Socket itself
      assert(socket.listenerCount(event) <= before, event);
    }
    await setImmediate();
    assert.equal(socket.listenerCount("error"), 1); // that of this file
    client.socket.destroy();
  });
});

const REAL: Record<string, Uint8Array> = {
  "LOCAL": encode({ command: "LOCAL" }),
  "UNKNOWN": Buffer.from("PROXY UNKNOWN\r\n"),
  "UNSPEC": encode({ command: "PROXY", family: "UNSPEC" }),
};

for (const [name, header] of Object.entries(REAL)) {
  test(`accept() keeps the real addresses for ${name}`, async () => {
    await accepting({ trust: TRUST }, async (port, next) => {
      const client = await dial(port, header);
      const { socket, info } = await next();
      assert.deepEqual(info, decode(header));
      assert.equal(socket.remotePort, client.socket.localPort);
      assert.equal(socket.localPort, port);
      assert.equal(Object.hasOwn(socket, "remotePort"), false);
      client.socket.destroy();
    });
  });
}

test('accept() takes the header off and keeps the real addresses with header: "discard"', async () => {
  await accepting({ trust: TRUST, header: "discard" }, async (port, next) => {
    const client = await dial(port, HEADER);
    const { socket, info } = await next();
    assert.equal(info?.command, "PROXY");
    assert.equal(socket.remotePort, client.socket.localPort);
    client.socket.destroy();
  });
});

test('accept() looks for no header of others with untrusted: "direct"', async () => {
  const options = { trust: ["192.0.2.0/24"], untrusted: "direct" } as const;
  await accepting(options, async (port, next) => {
    const client = await dial(port, HEADER);
    client.socket.end();
    const { socket, info } = await next();
    assert.equal(info, undefined);
    assert.equal(socket.remotePort, client.socket.localPort);
    const consume = CONSUMERS["'data'"];
    assert(consume);
    assert.deepEqual(await consume(socket), HEADER);
  });
});

test('accept() gives back all bytes of a peer without a header with header: "optional"', async () => {
  const payloads = [
    pattern(MEBIBYTE),
    Buffer.from("\r\n"), // how a signature begins, and then the end
    Buffer.from("PROX"),
    Buffer.from("GET / HTTP/1.1\r\n"),
  ];
  await accepting({ trust: TRUST, header: "optional" }, async (port, next) => {
    for (const payload of payloads) {
      for (const consume of Object.values(CONSUMERS)) {
        const client = await dial(port, payload);
        client.socket.end();
        const { socket, info, error } = await next();
        assert.equal(error, undefined);
        assert.equal(info, undefined);
        const received = await within(consume(socket), "the payload");
        assert.equal(received.compare(payload), 0);
        socket.destroy();
      }
    }
  });
});

test("accept() reads from a stream that gives a chunk each time it is asked", async () => {
  const turns = [(give: () => void) => give(), queueMicrotask];
  for (const turn of turns) {
    const chunks = [...HEADER, ...Buffer.from("payload")]
      .map((byte) => Buffer.of(byte));
    const stream = new Duplex({
      read() {
        turn(() => void this.push(chunks.shift() ?? null));
      },
    });
    const socket = Object.assign(stream, { remoteAddress: "127.0.0.1" });
    const { info, conn } = await accept(socket, { trust: TRUST });
    assert.deepEqual(info, decode(HEADER));
    const received = await within(Array.fromAsync(conn), "the payload");
    assert.equal(Buffer.concat(received).toString(), "payload");
  }
});

test("proxyInfo() and proxyHop() know a socket, and leave no trace on it", async () => {
  await accepting({ trust: TRUST }, async (port, next) => {
    const client = await dial(port, HEADER);
    const { socket, info } = await next();
    assert(info);
    assert.equal(proxyInfo(socket), info);
    assert.deepEqual(proxyHop(socket), {
      transport: "tcp",
      hostname: "127.0.0.1",
      port: client.socket.localPort,
    });
    assert.equal(proxyInfo(client.socket), undefined);
    assert.equal(proxyHop({}), undefined);
    for (const key of Reflect.ownKeys(socket)) {
      assert.notEqual(Reflect.get(socket, key), info);
    }
    client.socket.destroy();
  });
});

test("accept() shows no address for a client on a UNIX socket", async () => {
  const header = encode({
    source: { transport: "unix", path: "/run/client" },
    destination: { transport: "unix", path: "/run/server" },
  });
  await accepting({ trust: TRUST }, async (port, next) => {
    const client = await dial(port, header);
    const { socket } = await next();
    assert.equal(socket.remoteAddress, undefined);
    assert.equal(socket.remotePort, undefined);
    const info = proxyInfo(socket);
    assert.deepEqual(info?.source, {
      transport: "unix",
      path: "/run/client",
    });
    client.socket.destroy();
  });
});

test('accept() trusts a UNIX socket as "unix" alone', async () => {
  const folder = mkdtempSync(join(tmpdir(), "proxy-node-"));
  const path = join(folder, "socket");
  const codes: unknown[] = [];
  const server = createServer();
  try {
    server.listen(path);
    await once(server, "listening");
    for (const trust of [["unix"], ["127.0.0.1", "::/0", "0.0.0.0/0"]]) {
      const client = new Client(connect(path));
      const [socket] = await once(server, "connection");
      client.socket.write(HEADER);
      await accept(socket, { trust }).then(
        ({ conn }) => codes.push(conn.remoteAddress),
        (error: ProxyProtocolError) => codes.push(error.code),
      );
      socket.destroy();
      client.socket.destroy();
    }
    assert.deepEqual(codes, [CLIENT.remoteAddress, "untrusted"]);
  } finally {
    server.close();
    rmSync(folder, { recursive: true });
  }
});

test("accept() does not take a TCP connection that was reset for a UNIX socket", async () => {
  const server = createServer({ pauseOnConnect: true });
  await listening(server, async (port) => {
    const arrival = once(server, "connection");
    const client = await dial(port, HEADER);
    const [socket] = await arrival;
    socket.on("error", () => {});
    client.socket.resetAndDestroy();
    // Its address is asked for only now: where the runtime has forgotten it,
    // the header can still be read.
    for (let i = 0; i < 20; i++) await setImmediate();
    await assert.rejects(
      accept(socket, { trust: ["unix"] }),
      ({ code }: ProxyProtocolError) => code === "empty",
    );
  });
});

test("accept() takes no TLS over a stream that is no socket for a UNIX socket", async () => {
  for (const trust of [["unix"], () => true, "any"] as const) {
    const [near, far] = duplexPair();
    const tls = new TLSSocket(near, { isServer: true, ...KEY_PAIR });
    tls.on("error", () => {});
    const client = connectTls({
      socket: far,
      ca: KEY_PAIR.cert,
      servername: "localhost",
    });
    client.on("error", () => {});
    client.write(Buffer.concat([HEADER, Buffer.from("hello")]));
    const accepting = within(accept(tls, { trust }), "the header");
    if (trust === "any") {
      assert.equal((await accepting).info?.version, 1);
      assert.deepEqual(endsOf(tls), CLIENT);
    } else {
      await assert.rejects(
        accepting,
        ({ code }: ProxyProtocolError) => code === "untrusted",
      );
    }
    for (const stream of [client, tls]) stream.destroy();
  }
});

/** The two ends of a connection that no system has: neither is a socket. */
function duplexPair(): [Duplex, Duplex] {
  const half = (other: () => Duplex): Duplex =>
    new Duplex({
      read() {},
      write(chunk, _, callback) {
        other().push(chunk);
        callback();
      },
      final(callback) {
        other().push(null);
        callback();
      },
    });
  const near: Duplex = half(() => far);
  const far: Duplex = half(() => near);
  return [near, far];
}

test("accept() reads a header inside TLS from a TLSSocket", async () => {
  const server = createTlsServer(KEY_PAIR);
  await listening(server, async (port) => {
    const arrival = once(server, "secureConnection");
    const tls = connectTls({
      port,
      host: "127.0.0.1",
      ca: KEY_PAIR.cert,
      servername: "localhost",
    });
    const client = new Client(tls);
    client.socket.write(Buffer.concat([HEADER, Buffer.from("hello")]));
    const [socket] = await within(arrival, "the handshake");
    const { info } = await accept(socket, { trust: TRUST });
    assert.equal(info?.version, 1);
    assert.deepEqual(endsOf(socket), CLIENT);
    const [chunk] = await once(socket, "data");
    assert.equal(String(chunk), "hello");
    socket.end("bye");
    assert.equal(await client.rest(), "bye");
    client.socket.destroy();
  });
});

test("accept() says empty, incomplete, and why a header is refused", async () => {
  const cases: [Buffer, string][] = [
    [Buffer.alloc(0), "empty"],
    [HEADER.subarray(0, -1), "incomplete"],
    [Buffer.from("GET / HTTP/1.1\r\n\r\n"), "signature"],
    [Buffer.from("PROXY TCP4 192.0.2.256"), "address"],
  ];
  await accepting({ trust: TRUST }, async (port, next) => {
    for (const [bytes, code] of cases) {
      const client = await dial(port);
      client.socket.end(bytes);
      const error = refusal(await next());
      assert.equal(error.code, code);
      assert.deepEqual(error.hop, {
        transport: "tcp",
        hostname: "127.0.0.1",
        port: client.socket.localPort,
      });
      assert.deepEqual(
        Buffer.from(error.received),
        bytes.subarray(0, error.received.length),
      );
      assert.equal(await client.rest(), "");
    }
  });
});

test("accept() refuses a header one byte short at its deadline", async () => {
  await accepting({ trust: TRUST, timeout: 1000 }, async (port, next) => {
    const short = HEADER.subarray(0, -1);
    const client = await dial(port, short);
    const error = refusal(await next());
    assert.equal(error.code, "timeout");
    assert.equal(error.offset, short.length);
    assert.deepEqual(Buffer.from(error.received), short);
    assert.equal(await client.rest(), "");
  });
});

test("accept() refuses who is not trusted without reading a byte", async () => {
  await accepting({ trust: ["192.0.2.0/24"] }, async (port, next) => {
    const client = await dial(port, HEADER);
    const error = refusal(await next());
    assert.equal(error.code, "untrusted");
    assert.equal(error.received.length, 0);
    await client.rest();
  });
});

test("accept() refuses a direct peer when its signal has fired before", async () => {
  const options = {
    trust: [],
    untrusted: "direct",
    signal: AbortSignal.abort(),
  } as const;
  await accepting(options, async (port, next) => {
    const client = await dial(port);
    assert.equal(refusal(await next()).code, "aborted");
    await client.rest();
  });
});

test("accept() ends with its signal, before and while it waits", async () => {
  const stop = new AbortController();
  const { signal } = stop;
  await accepting({ trust: TRUST, signal }, async (port, next) => {
    const waiting = await dial(port, HEADER.subarray(0, 20));
    setTimeout(() => stop.abort("enough"), 20);
    const error = refusal(await next());
    assert.equal(error.code, "aborted");
    assert.equal(error.cause, "enough");
    await waiting.rest();
    const late = await dial(port, HEADER);
    assert.equal(refusal(await next()).code, "aborted");
    await late.rest();
  });
});

test("accept() asks verify with the header and a socket that shows the client", async () => {
  const answers = [true, false, new Error("no database")];
  const seen: unknown[] = [];
  const verify = async (info: ProxyInfo, socket: Socket) => {
    await setImmediate();
    seen.push([info.version, socket.remoteAddress]);
    const answer = answers.shift();
    if (answer instanceof Error) throw answer;
    return answer === true;
  };
  await accepting({ trust: TRUST, verify }, async (port, next) => {
    const good = await dial(port, HEADER, "hello");
    const { socket, error } = await next();
    assert.equal(error, undefined);
    assert.equal(String((await once(socket, "data"))[0]), "hello");
    good.socket.destroy();
    for (const cause of [undefined, "no database"]) {
      const bad = await dial(port, HEADER);
      const error = refusal(await next());
      assert.equal(error.code, "verify");
      const message = error.cause instanceof Error
        ? error.cause.message
        : undefined;
      assert.equal(message, cause);
      await bad.rest();
    }
    assert.deepEqual(seen, Array(3).fill([1, CLIENT.remoteAddress]));
  });
});

test("accept() destroys a refused socket once, and its errors are never uncaught", async () => {
  const server = createServer();
  await listening(server, async (port) => {
    const arrival = once(server, "connection");
    const client = await dial(port, HEADER.subarray(0, 9));
    const [socket] = await arrival;
    let closes = 0;
    socket.on("close", () => closes++);
    const accepted = accept(socket, { trust: TRUST });
    while (socket.readableLength > 0 || socket.bytesRead < 9) {
      await setImmediate();
    }
    client.socket.resetAndDestroy();
    const error = await within(
      accepted.then(() => undefined, (error: unknown) => error),
      "the refusal",
    );
    assert(error instanceof ProxyProtocolError);
    assert.equal(error.code, "io");
    assert(socket.destroyed);
    socket.destroy(new Error("late"));
    socket.emit("error", new Error("later"));
    await setImmediate();
    await setImmediate();
    assert.equal(closes, 1);
  });
});

test("accept() takes a reset without a byte for an empty connection", async () => {
  await accepting({ trust: TRUST }, async (port, next) => {
    const client = await dial(port);
    client.socket.resetAndDestroy();
    assert.equal(refusal(await next()).code, "empty");
  });
});

test("accept() rejects for a socket that is closed already", async () => {
  const server = createServer();
  await listening(server, async (port) => {
    const arriving = once(server, "connection");
    const client = await dial(port, HEADER);
    const [socket]: Socket[] = await arriving;
    assert(socket);
    socket.destroy();
    await assert.rejects(
      accept(socket, { trust: "any" }),
      ({ code }: ProxyProtocolError) => code === "io",
    );
    client.socket.destroy();
  });
});

test("accept() rejects for a socket with an encoding, which has no bytes to read", async () => {
  const server = createServer();
  await listening(server, async (port) => {
    const arriving = once(server, "connection");
    const client = await dial(port, HEADER);
    const [socket]: Socket[] = await arriving;
    assert(socket);
    socket.setEncoding("latin1");
    await assert.rejects(
      accept(socket, { trust: TRUST }),
      ({ code, cause }: ProxyProtocolError) =>
        code === "io" && cause instanceof TypeError,
    );
    assert(socket.destroyed);
    client.socket.destroy();
  });
});

test("accept() rejects wrong options before it touches the socket", async () => {
  const server = createServer();
  await listening(server, async (port) => {
    const arrival = once(server, "connection");
    const client = await dial(port, HEADER);
    const [socket] = await arrival;
    await assert.rejects(accept(socket, { trust: ["10.0.0.0/33"] }), TypeError);
    await assert.rejects(accept(socket, { trust: TRUST, timeout: 0 }), {
      name: "RangeError",
    });
    assert.equal(socket.destroyed, false);
    assert.equal(socket.listenerCount("readable"), 0);
    socket.destroy();
    client.socket.destroy();
  });
});
