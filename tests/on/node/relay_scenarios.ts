/** Relays by `./node`, between sockets of `node:net` and `node:tls`. */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { test } from "node:test";
import { setImmediate } from "node:timers";
import {
  connect as connectTls,
  createServer as createTlsServer,
  TLSSocket,
} from "node:tls";
import {
  accept,
  type NodeRelayTarget,
  proxied,
  relay,
  type RelayResult,
} from "../../../conn/node.ts";
import { pattern, utf8 } from "../../_bytes.ts";
import {
  type Backend,
  backend,
  codeOf,
  endOf,
  type Target,
  tlsBackend,
  turns,
} from "../_relay_kit.ts";
import { runRelayScenarios } from "../_relay_scenarios.ts";
import { Client, gluedTo, Queue } from "../bun/_client.ts";
import {
  closed,
  dial,
  dialTls,
  HEADER,
  KEY_PAIR,
  listening,
  portOf,
  RUNTIME,
  TRUST,
  within,
} from "./_kit.ts";

/** A target in the words of Node. */
function toNode({ port = 0, path, tls }: Target): NodeRelayTarget {
  const { name, ...others } = tls ?? {};
  const secure = { ...others, ...(name !== undefined && { servername: name }) };
  return {
    ...(path === undefined ? { host: "127.0.0.1", port } : { path }),
    ...(tls && { tls: secure }),
  };
}

runRelayScenarios({
  name: "./node",
  hearsNoTlsResets: RUNTIME === "deno",
  async listen({ accepting, isTls, target, options, times, ...hooks }) {
    const { verify, ...others } = accepting;
    const policy = {
      trust: TRUST,
      ...others,
      ...(verify && { verify: () => verify() }),
    };
    const open = new Set<Socket>();
    const serve = (socket: Socket) => {
      for (let i = 0; i < times; i++) {
        relay(socket, toNode(target()), options)
          .then(hooks.onResult, hooks.onThrown);
        hooks.onCall();
      }
    };
    const server: Server = isTls
      ? createTlsServer(KEY_PAIR, (socket) => {
        // The header is inside TLS, where `proxied` does not look for it.
        accept(socket, policy).then(() => serve(socket), hooks.onThrown);
      })
      : proxied(createServer(serve), policy);
    server.on("connection", (socket) => open.add(socket));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return {
      port: portOf(server),
      async close() {
        for (const socket of open) socket.destroy();
        await closed(server);
      },
    };
  },
});

/** A proxied server whose sockets go to `serve`, a backend, and what is relayed. */
async function serving(
  serve: (socket: Socket, back: Backend) => void,
  work: (port: number, back: Backend) => Promise<void>,
): Promise<void> {
  await using back = await backend();
  const open = new Set<Socket>();
  const server = proxied(createServer((socket) => serve(socket, back)), {
    trust: TRUST,
  });
  server.on("connection", (socket) => open.add(socket));
  await listening(server, async (port) => {
    await work(port, back);
    for (const socket of open) socket.destroy();
  });
}

/** Targets, by how they are given. */
const TARGETS: Record<string, (back: Backend) => NodeRelayTarget> = {
  "an address": ({ target }) => toNode(target),
  "a socket that connects": ({ target }) => connect(addressOf(target)),
  "a function": ({ target }) => () => connect(addressOf(target)),
  "a function that takes its time": ({ target }) => async () => {
    const socket = connect(addressOf(target));
    await once(socket, "connect");
    return socket;
  },
};

function addressOf({ port = 0 }: Target): { port: number; host: string } {
  return { port, host: "127.0.0.1" };
}

for (const [name, targetOf] of Object.entries(TARGETS)) {
  test(`./node: relay() to ${name}`, async () => {
    const results = new Queue<RelayResult>();
    await serving(
      (socket, back) => {
        relay(socket, targetOf(back), { send: 1 })
          .then((result) => results.add(result));
      },
      async (port, { peers }) => {
        const client = await dial(port, Buffer.concat([HEADER, utf8("hello")]));
        using peer = await peers.next("a target");
        client.socket.end();
        const received = Buffer.from(await peer.receiveAll());
        assert.equal(received.toString(), `${HEADER}hello`);
        await peer.send("late");
        peer.end();
        assert.equal(await client.rest(), "late");
        const result = await results.next("the result");
        assert.deepEqual(result, { sent: 5, received: 4 });
      },
    );
  });
}

test("./node: relay() to a socket in the handshake of TLS waits for its end", async () => {
  await using back = await tlsBackend();
  const { ca = "", name: servername = "" } = back.target.tls ?? {};
  const options = { ...addressOf(back.target), servername };
  const results = new Queue<RelayResult>();
  for (const [given, isTrusted] of [[{ ca }, true], [{}, false]] as const) {
    await serving(
      (socket) => {
        relay(socket, () => connectTls({ ...options, ...given }), { send: 1 })
          .then((result) => results.add(result));
      },
      async (port) => {
        const client = await dial(port, Buffer.concat([HEADER, utf8("hello")]));
        if (isTrusted) {
          using peer = await back.peers.next("a target");
          const received = await peer.receive(HEADER.length + 5);
          assert.equal(Buffer.from(received).toString(), `${HEADER}hello`);
          peer.end();
          client.socket.end();
        }
        await client.rest();
        const { sent, error } = await results.next("the result");
        assert.equal(sent, isTrusted ? 5 : 0);
        assert.equal(error === undefined, isTrusted);
      },
    );
  }
});

test("./node: relay() says why a function could not dial, and ends the client in order", async () => {
  const refused = new Error("nobody there");
  for (
    const target of [
      () => Promise.reject(refused),
      (): Socket => {
        throw refused;
      },
    ]
  ) {
    const results = new Queue<RelayResult>();
    await serving(
      (socket) => void relay(socket, target).then((r) => results.add(r)),
      async (port) => {
        const client = await dial(port, Buffer.concat([HEADER, utf8("hello")]));
        assert.equal(await endOf(client.socket), "end");
        const { sent, error } = await results.next("the result");
        assert.equal(error, refused);
        assert.equal(sent, 0);
      },
    );
  }
});

test("./node: relay() closes a target that comes after the client was reset", async () => {
  const dialling = Promise.withResolvers<Socket>();
  const results = new Queue<RelayResult>();
  await serving(
    (socket) => {
      relay(socket, () => dialling.promise).then((r) => results.add(r));
    },
    async (port, { target, peers }) => {
      const client = await dial(port, Buffer.concat([HEADER, utf8("hello")]));
      client.socket.resetAndDestroy();
      const { error } = await results.next("the result");
      assert.equal(codeOf(error), "ECONNRESET");
      const late = connect(addressOf(target));
      await once(late, "connect");
      dialling.resolve(late);
      using peer = await peers.next("a target that comes too late");
      assert.equal((await peer.receiveAll()).length, 0);
    },
  );
});

test("./node: relay() of a socket that accept() gave, or that TLS was begun on", async () => {
  const results = new Queue<RelayResult>();
  await using back = await backend();
  const server = createServer(async (socket) => {
    const { conn } = await accept(socket, { trust: TRUST });
    const tls = new TLSSocket(conn, { isServer: true, ...KEY_PAIR });
    relay(tls, toNode(back.target), { send: 1 }).then((r) => results.add(r));
  });
  await listening(server, async (port) => {
    const client = await dialTls(port);
    client.write("hello");
    using peer = await back.peers.next("a target");
    const received = await peer.receive(HEADER.length + 5);
    assert.equal(Buffer.from(received).toString(), `${HEADER}hello`);
    const heard = once(client, "data");
    await peer.send("answer");
    assert.equal(`${(await within(heard, "an answer"))[0]}`, "answer");
    client.on("error", () => {}).destroy();
    await peer.receiveAll();
    peer.end();
    assert.equal((await results.next("the result")).sent, 5);
  });
});

test("./node: relay() may be called later, for a socket that was paused or has ended", async () => {
  for (const isPaused of [true, false]) {
    const results = new Queue<RelayResult>();
    await serving(
      async (socket, back) => {
        socket.allowHalfOpen = true;
        if (isPaused) socket.pause();
        else {
          const ended = once(socket, "end");
          socket.resume();
          await ended;
        }
        await turns();
        results.add(await relay(socket, toNode(back.target), { send: 1 }));
      },
      async (port, { peers }) => {
        const client = await dial(port, HEADER);
        if (isPaused) await client.write("hello");
        client.socket.end();
        using peer = await peers.next("a target");
        const received = Buffer.from(await peer.receiveAll()).toString();
        assert.equal(received, `${HEADER}${isPaused ? "hello" : ""}`);
        await peer.send("answer");
        peer.end();
        assert.equal(await client.rest(), "answer");
        const { received: answered } = await results.next("the result");
        assert.equal(answered, 6);
      },
    );
  }
});

test("./node: relay() of a socket that is closed by then ends at once", async () => {
  for (const isReset of [true, false]) {
    const results = new Queue<RelayResult>();
    await serving(
      async (socket, back) => {
        const closed = once(socket, "close").catch(() => {});
        socket.on("error", () => {});
        socket.resume();
        if (!isReset) socket.destroy();
        await closed;
        back.peers.next("a target").then((peer) => peer.end(), () => {});
        results.add(await relay(socket, toNode(back.target)));
      },
      async (port) => {
        const client = await dial(port, HEADER);
        if (isReset) client.socket.resetAndDestroy();
        const { error } = await results.next("the result");
        assert.equal(error !== undefined, isReset);
      },
    );
  }
});

test("./node: relay() refuses a socket that was not accepted, and closes both", async () => {
  await using back = await backend();
  const thrown = new Queue<unknown>();
  const server = createServer((socket) => {
    const target = connect(addressOf(back.target));
    relay(socket, target).catch((error) => thrown.add(error));
  });
  await listening(server, async (port) => {
    const client = await dial(port, HEADER);
    const error = await thrown.next("a refusal");
    assert(error instanceof TypeError);
    assert.match(error.message, /not from proxied\(\) or accept\(\)/);
    await client.rest();
  });
});

test("./node: relay() refuses a target that is none, and closes the client", async () => {
  for (const target of ["undefined", "80", '"10.0.0.9:443"', "null"]) {
    const thrown = new Queue<unknown>();
    await serving(
      (socket) => {
        const none = target === "undefined" ? undefined : JSON.parse(target);
        relay(socket, none).catch((error) => thrown.add(error));
      },
      async (port) => {
        const client = await dial(port, HEADER);
        const error = await thrown.next("a refusal");
        assert(error instanceof TypeError);
        assert.match(error.message, /^Cannot relay: expected options of net/);
        await client.rest();
      },
    );
  }
});

test("./node: relay() refuses a socket whose header accept() still reads", async () => {
  const thrown = new Queue<unknown>();
  const server = createServer((socket) => {
    accept(socket, { trust: TRUST }).catch(() => {});
    relay(socket, { port: 1 }).catch((error) => thrown.add(error));
  });
  await listening(server, async (port) => {
    const client = await dial(port, HEADER.subarray(0, 5));
    const error = await thrown.next("a refusal");
    assert(error instanceof TypeError);
    assert.match(error.message, /its header has not come/);
    await client.rest();
  });
});

// What the runtime itself does to TLS, without the library: on Deno `relay`
// pauses the connection below, and does not hear of a reset.
test(`${RUNTIME} itself: the end of a TLS socket that was paused`, async () => {
  const bytes = pattern(1_000_000);
  const server = createTlsServer({ ...KEY_PAIR, allowHalfOpen: true });
  server.on("secureConnection", (socket) => {
    socket.on("error", () => {}).once("data", () => socket.end(bytes));
  });
  await listening(server, async (port) => {
    const socket = connectTls({
      ...{ port, host: "127.0.0.1", servername: "localhost" },
      ...{ ca: KEY_PAIR.cert, allowHalfOpen: true },
    });
    await within(once(socket, "secureConnect"), "a handshake");
    socket.write("go");
    const all = Promise.withResolvers<void>();
    let length = 0;
    socket.on("data", (chunk: Uint8Array) => {
      length += chunk.length;
      socket.pause();
      setImmediate(() => socket.resume());
      if (length === bytes.length) all.resolve();
    });
    await within(all.promise, "all bytes");
    await turns(200);
    assert.equal(socket.readableEnded, RUNTIME !== "deno");
    socket.destroy();
  });
});

test(`${RUNTIME} itself: a reset below TLS`, async () => {
  const ends = new Queue<"end" | "reset">();
  const server = createTlsServer(KEY_PAIR, (socket) => {
    endOf(socket.resume()).then((end) => ends.add(end));
  });
  await listening(server, async (port) => {
    const raw = await Client.dial(port);
    await Client.dialTls(gluedTo(new Uint8Array(), raw.stream));
    await turns();
    raw.reset();
    const end = await ends.next("an end");
    assert.equal(end, RUNTIME === "deno" ? "end" : "reset");
  });
});
