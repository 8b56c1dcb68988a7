/** TLS that begins on a connection after its header, at once or later. */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { test } from "node:test";
import {
  connect as connectTls,
  createSecureContext,
  TLSSocket,
} from "node:tls";
import {
  type NodeListenerOptions,
  type NodeUpgradeOptions,
  proxied,
  proxyHop,
  proxyInfo,
  ready,
  relay,
  upgradeTls,
} from "../../../conn/node.ts";
import { backend, turns } from "../_relay_kit.ts";
import { Client as Far, gluedTo, Queue } from "../bun/_client.ts";
import {
  CLIENT,
  type Client,
  dial,
  endsOf,
  HEADER,
  KEY_PAIR,
  listening,
  TRUST,
  within,
} from "./_kit.ts";

/** Runs a proxied server while `work` runs, and leaves nothing open. */
async function serving(
  serve: (socket: Socket) => void,
  work: (port: number) => Promise<void>,
  options: Partial<NodeListenerOptions> = {},
): Promise<void> {
  const open = new Set<Socket>();
  const server = proxied(createServer({ noDelay: true }, serve), {
    trust: TRUST,
    ...options,
  });
  server.on("connection", (socket) => open.add(socket));
  await listening(server, async (port) => {
    await work(port);
    for (const socket of open) socket.destroy();
  });
}

/** Begins TLS over what a client has dialled, its first bytes behind `first`. */
async function secure(client: Far, first = new Uint8Array()): Promise<Far> {
  return await Far.dialTls(gluedTo(first, client.stream));
}

/** Begins TLS, says who the client is and echoes. */
function echoTls(
  socket: Socket,
  options: NodeUpgradeOptions = KEY_PAIR,
): TLSSocket | undefined {
  const tls = upgradeTls(socket, options);
  tls?.on("error", () => {});
  tls?.once("secure", () => {
    assert.deepEqual(endsOf(tls), CLIENT);
    tls.write(told(tls));
    tls.pipe(tls);
  });
  return tls;
}

/** What is known of a socket, as text. */
function told(socket: Socket): string {
  const hop = proxyHop(socket);
  return [
    socket.remoteAddress,
    Reflect.get(socket.address(), "port"),
    proxyInfo(socket)?.version,
    hop && "hostname" in hop ? hop.hostname : undefined,
  ].join(" ");
}

const TOLD = "192.0.2.7 8443 1 127.0.0.1";

/** Talks through an echo in TLS. */
async function talk(client: Far): Promise<void> {
  await client.send(" hello");
  const received = await client.receive(TOLD.length + 6);
  assert.equal(Buffer.from(received).toString(), `${TOLD} hello`);
}

for (
  const [name, options] of Object.entries<NodeUpgradeOptions>({
    "key and cert": KEY_PAIR,
    "a secureContext": { secureContext: createSecureContext(KEY_PAIR) },
  })
) {
  for (const isGlued of [true, false]) {
    test(`upgradeTls() with ${name}, the handshake ${isGlued ? "in one piece with" : "after"} the header`, async () => {
      await serving((socket) => void echoTls(socket, options), async (port) => {
        using client = await Far.dial(port);
        if (!isGlued) await client.send(HEADER);
        using tls = await secure(client, isGlued ? HEADER : undefined);
        await talk(tls);
      });
    });
  }
}

test("upgradeTls() byte by byte, and after verify has taken its time", async () => {
  const verify = async () => {
    await turns();
    return true;
  };
  await serving((socket) => void echoTls(socket), async (port) => {
    using client = await Far.dial(port);
    for (const byte of HEADER) await client.send(Uint8Array.of(byte));
    using tls = await secure(client);
    await talk(tls);
  }, { verify });
});

/** Ways to read a command in plain text before TLS. */
const WAYS: Record<string, (socket: Socket, onCommand: () => void) => void> = {
  "a listener that stays": (socket, onCommand) => {
    socket.on("data", () => onCommand());
  },
  "a listener that is removed": (socket, onCommand) => {
    socket.once("data", () => onCommand());
  },
  "a pause": (socket, onCommand) => {
    socket.once("data", () => {
      socket.pause();
      onCommand();
    });
  },
  "read()": (socket, onCommand) => {
    socket.once("readable", () => {
      socket.read();
      onCommand();
    });
  },
};

for (const [name, read] of Object.entries(WAYS)) {
  test(`upgradeTls() after a command in plain text, as STARTTLS has it, by ${name}`, async () => {
    await serving((socket) => {
      socket.on("error", () => {});
      socket.write("220 hello\r\n");
      read(socket, () => {
        socket.write("220 go ahead\r\n");
        echoTls(socket);
      });
    }, async (port) => {
      using client = await Far.dial(port);
      await client.send(HEADER);
      await client.receive("220 hello\r\n".length);
      await client.send("STARTTLS\r\n");
      await client.receive("220 hello\r\n220 go ahead\r\n".length);
      using tls = await secure(client);
      await talk(tls);
    });
  });
}

test("upgradeTls() begins with bytes that were given back", async () => {
  await serving((socket) => {
    socket.on("error", () => {});
    socket.once("data", (chunk: Buffer) => {
      socket.pause();
      assert.equal(chunk.subarray(0, 10).toString(), "STARTTLS\r\n");
      if (chunk.length > 10) socket.unshift(chunk.subarray(10));
      echoTls(socket);
    });
  }, async (port) => {
    using client = await Far.dial(port);
    const first = Buffer.concat([HEADER, Buffer.from("STARTTLS\r\n")]);
    using tls = await secure(client, first);
    await talk(tls);
  });
});

test("upgradeTls() of a lazy socket, before its header and after", async () => {
  const thrown = new Queue<unknown>();
  await serving(async (socket) => {
    socket.on("error", () => {});
    try {
      upgradeTls(socket, KEY_PAIR);
    } catch (error) {
      thrown.add(error);
    }
    socket.write("220 hello\r\n");
    await ready(socket);
    echoTls(socket);
  }, async (port) => {
    using client = await Far.dial(port);
    await client.receive("220 hello\r\n".length);
    const error = await thrown.next("a refusal");
    assert(error instanceof TypeError);
    assert.match(error.message, /wait for ready/);
    await client.send(HEADER);
    using tls = await secure(client);
    await talk(tls);
  }, { lazy: true });
});

test("upgradeTls() as the client of TLS, which checks the certificate", async () => {
  const outcomes = new Queue<string>();
  await serving((socket) => {
    const ca = socket.remotePort === CLIENT.remotePort ? KEY_PAIR.cert : "";
    const tls = upgradeTls(socket, {
      isServer: false,
      servername: "localhost",
      ...(ca && { ca }),
    });
    tls?.on("secureConnect", () => {
      outcomes.add(`${tls.authorized} ${tls.remoteAddress}`);
      tls.end("hello");
    });
    tls?.on("close", () => outcomes.add("closed"));
  }, async (port) => {
    for (const [isKnown, header] of [[true, HEADER], [false, OTHER]] as const) {
      using client = await Far.dial(port);
      await client.send(header);
      const stream = gluedTo(new Uint8Array(), client.stream);
      const tls = new TLSSocket(stream, { isServer: true, ...KEY_PAIR });
      tls.on("error", () => {});
      using far = new Far(tls);
      if (isKnown) {
        assert.equal(
          await outcomes.next("TLS"),
          `true ${CLIENT.remoteAddress}`,
        );
        await far.receive(5);
      }
      client.end();
      assert.equal(await outcomes.next("a close"), "closed");
    }
  });
});

/** A header of a client whose certificate is not known. */
const OTHER = Buffer.from("PROXY TCP4 192.0.2.8 198.51.100.9 1 8443\r\n");

test("upgradeTls() and a handshake that fails: the connection is closed, and nothing else", async () => {
  const closes = new Queue<void>();
  const begin = (socket: Socket) => {
    upgradeTls(socket, KEY_PAIR)?.on("close", () => closes.add());
  };
  await serving(begin, async (port) => {
    const plain = "GET / HTTP/1.1\r\n\r\n";
    for (const text of [plain, plain.repeat(20_000)]) {
      for (const isGlued of [true, false]) {
        const client: Client = isGlued
          ? await dial(port, Buffer.concat([HEADER, Buffer.from(text)]))
          : await dial(port, HEADER, text);
        await closes.next("a close");
        client.socket.destroy();
      }
    }
    for (const isReset of [true, false]) {
      const client = await dial(port, HEADER, Buffer.of(0x16, 3, 1));
      if (isReset) client.socket.resetAndDestroy();
      else client.socket.destroy();
      await closes.next("a close");
    }
  });
});

test("upgradeTls() and a client that resets in TLS: its error is that of the TLS socket", async () => {
  const events = new Queue<string>();
  await serving((socket) => {
    const tls = upgradeTls(socket, KEY_PAIR);
    tls?.on("error", () => {});
    tls?.on("close", () => events.add("close"));
    tls?.once("secure", () => events.add("secure"));
    tls?.resume();
  }, async (port) => {
    using client = await Far.dial(port);
    await client.send(HEADER);
    using _tls = await secure(client);
    assert.equal(await events.next("TLS"), "secure");
    client.reset();
    assert.equal(await events.next("a close"), "close");
  });
});

test("upgradeTls() of a closed socket gives nothing", async () => {
  const { promise, resolve } = Promise.withResolvers<unknown>();
  await serving((socket) => {
    socket.destroy();
    resolve(upgradeTls(socket, KEY_PAIR));
  }, async (port) => {
    await dial(port, HEADER);
    assert.equal(await within(promise, "a call"), undefined);
  });
});

test("upgradeTls() of a socket that no proxy has dialled", async () => {
  const server = createServer((socket) => {
    const tls = upgradeTls(socket, KEY_PAIR);
    tls?.once("secure", () => tls.end(`${proxyHop(tls)} ${tls.remoteAddress}`));
  });
  await listening(server, async (port) => {
    const options = { port, ca: KEY_PAIR.cert, servername: "localhost" };
    const tls = connectTls({ host: "127.0.0.1", ...options });
    const [data] = await within(once(tls, "data"), "data");
    assert.equal(`${data}`, "undefined 127.0.0.1");
    tls.destroy();
  });
});

test("relay() of a socket whose TLS has only begun", async () => {
  await using back = await backend();
  const { port: target = 0 } = back.target;
  await serving((socket) => {
    const tls = upgradeTls(socket, KEY_PAIR);
    if (tls) relay(tls, { host: "127.0.0.1", port: target }, { send: 1 });
  }, async (port) => {
    using client = await Far.dial(port);
    using tls = await secure(client, HEADER);
    await tls.send("hello");
    using peer = await back.peers.next("a target");
    const received = await peer.receive(HEADER.length + 5);
    assert.equal(Buffer.from(received).toString(), `${HEADER}hello`);
    await peer.send("answer");
    assert.equal(Buffer.from(await tls.receive(6)).toString(), "answer");
  });
});
