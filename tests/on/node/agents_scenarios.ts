/** Requests to a backend that say who the client is, by an agent that keeps its connections. */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { once } from "node:events";
import {
  Agent,
  createServer as createHttpServer,
  type IncomingMessage,
  request,
} from "node:http";
import {
  connect as connectHttp2,
  createServer as createHttp2Server,
} from "node:http2";
import { request as requestSecure } from "node:https";
import { createServer, type Socket } from "node:net";
import { test } from "node:test";
import {
  HeaderAgent,
  type HeaderAgentOptions,
  headerOf,
  HttpsHeaderAgent,
  proxied,
  proxyInfo,
} from "../../../conn/node.ts";
import { encode } from "../../../mod.ts";
import { BLOCK4, textHex, tlv, v2 } from "../../codec/_hex.ts";
import { dialAs, told, withBackend, withProxy } from "./_backend.ts";
import {
  type Client,
  closedPort,
  dial,
  KEY_PAIR,
  listening,
  TRUST,
  until,
  within,
} from "./_kit.ts";

/** Two clients, in the range for documentation. */
const [ANNA, BEN] = ["192.0.2.44", "192.0.2.45"] as const;

/** An agent, and a request by it on behalf of a client; resolves to the answer's text. */
interface Sender {
  agent: Agent;
  send(client: object, port: number): Promise<string>;
}

type Protocol = "http" | "https";

const SENDERS: Record<Protocol, (options?: HeaderAgentOptions) => Sender> = {
  http: (options = {}) => {
    const agent = new HeaderAgent(options);
    return {
      agent,
      send: (client, port) =>
        textOf((done) => {
          const to = { host: "127.0.0.1", port, agent: agent.for(client) };
          return request(to, done);
        }),
    };
  },
  https: (options = {}) => {
    const agent = new HttpsHeaderAgent({ ...options, ca: KEY_PAIR.cert });
    return {
      agent,
      send: (client, port) =>
        textOf((done) => {
          const to = { host: "127.0.0.1", port, servername: "localhost" };
          return requestSecure({ ...to, agent: agent.for(client) }, done);
        }),
    };
  },
};

/** Sends a request, and reads its answer. */
async function textOf(
  send: (
    done: (answer: IncomingMessage) => void,
  ) => ReturnType<typeof request>,
): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  send(resolve).on("error", reject).end();
  const answer = await within(promise, "an answer");
  let text = "";
  for await (const chunk of answer.setEncoding("utf8")) text += chunk;
  return text;
}

/** The connections of an agent that no request uses. */
function idleOf({ freeSockets }: Agent): number {
  return Object.values(freeSockets).flat()
    .filter((socket) => !socket?.destroyed).length;
}

/** Runs a proxy that sends each request on by `sender`. */
function withSender(
  { send }: Sender,
  port: number,
  work: (port: number) => Promise<void>,
): Promise<void> {
  return withProxy((req, res) => {
    send(req, port).then((text) => res.end(text), () => res.destroy());
  }, work);
}

test("the obvious agent tells a backend the wrong client", async () => {
  await withBackend("http", async ({ port }) => {
    let header: Uint8Array = new Uint8Array();
    const agent = new Agent({ keepAlive: true });
    const connect: unknown = Reflect.get(agent, "createConnection");
    assert(typeof connect === "function");
    Object.assign(agent, {
      createConnection(...args: unknown[]): Socket {
        const socket: Socket = Reflect.apply(connect, agent, args);
        socket.write(header);
        return socket;
      },
    });
    const send = (client: object) => {
      header = encode(headerOf(client));
      return textOf((done) =>
        request({ host: "127.0.0.1", port, agent }, done)
      );
    };
    await withSender({ agent, send }, port, async (proxy) => {
      const [anna, ben] = [await dialAs(proxy, ANNA), await dialAs(proxy, BEN)];
      assert.equal(await told(anna), ANNA);
      await until("an idle connection", () => idleOf(agent) === 1);
      assert.equal(await told(ben), ANNA); // not Ben
      for (const { socket } of [anna, ben]) socket.destroy();
    });
    agent.destroy();
  });
});

for (const protocol of ["http", "https"] as const) {
  const make = SENDERS[protocol];
  const name = protocol === "http" ? "HeaderAgent" : "HttpsHeaderAgent";

  test(`${name} keeps a connection for each client, and none speaks for another`, async () => {
    const sender = make({ idleTimeout: Infinity });
    await withBackend(protocol, async ({ port, sockets }) => {
      await withSender(sender, port, async (proxy) => {
        const anna = await dialAs(proxy, ANNA);
        const ben = await dialAs(proxy, BEN);
        for (let i = 1; i <= 5; i++) {
          assert.equal(await told(anna), ANNA);
          assert.equal(await told(ben), BEN);
          await until("idle connections", () => idleOf(sender.agent) === 2);
        }
        assert.equal(sockets.size, 2);
        for (const { socket } of [anna, ben]) socket.destroy();
        // Nobody will ask for them again.
        await until("no idle connection", () => idleOf(sender.agent) === 0);
      });
    });
  });

  for (const bound of ["maxSockets", "maxTotalSockets"]) {
    test(`${name} with ${bound} lets requests wait for a connection of their own client`, async () => {
      const { agent, send } = make({ [bound]: 1 });
      await withBackend(protocol, async ({ port }) => {
        await withProxy((req, res) => {
          const three = [1, 2, 3].map(() => send(req, port));
          Promise.all(three).then(
            (texts) => res.end(`${new Set(texts).size} ${texts[0]}`),
            () => res.destroy(),
          );
        }, async (proxy) => {
          const clients = await Promise.all(
            [ANNA, BEN].map((address) => dialAs(proxy, address)),
          );
          const get = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
          for (const client of clients) await client.write(get);
          for (const [i, address] of [ANNA, BEN].entries()) {
            await clients[i]?.until(`\r\n1 told ${address};`);
          }
          for (const { socket } of clients) socket.destroy();
        });
        agent.destroy();
      });
    });
  }

  test(`${name} keeps nothing for a client that has left`, async () => {
    const sender = make();
    await withBackend(protocol, async ({ port }) => {
      const left = Promise.withResolvers<void>();
      const answered = Promise.withResolvers<string>();
      await withProxy((req, res) => {
        res.on("close", left.resolve);
        const sending = left.promise.then(() => sender.send(req, port));
        sending.then(answered.resolve, answered.reject);
      }, async (proxy) => {
        const anna = await dialAs(proxy, ANNA);
        await anna.write("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
        anna.socket.destroy();
        assert.equal(await answered.promise, `told ${ANNA};`);
      });
      await until(
        "the connection to be closed",
        () => Object.values(sender.agent.sockets).flat().length === 0,
      );
      assert.equal(idleOf(sender.agent), 0);
    });
  });

  test(`${name} writes the header in plain text, before all else`, async () => {
    const { promise, resolve } = Promise.withResolvers<Buffer>();
    const raw = createServer((socket) => {
      socket.on("error", () => {});
      socket.once("data", (chunk) => {
        resolve(chunk);
        socket.destroy();
      });
    });
    const { send } = make({ header: { version: 1 } });
    await listening(raw, async (port) => {
      const client = {
        source: { transport: "tcp", hostname: ANNA, port: 1 },
        destination: { transport: "tcp", hostname: BEN, port: 2 },
      };
      await assert.rejects(send(client, port));
      const line = `PROXY TCP4 ${ANNA} ${BEN} 1 2\r\n`;
      const received = await promise;
      assert.equal(received.subarray(0, line.length).toString(), line);
    });
  });

  test(`${name} passes a failure to connect to the request, and to nobody else`, async () => {
    const { send, agent } = make();
    await using nobody = await closedPort();
    for (let i = 1; i <= 3; i++) {
      await assert.rejects(
        send({ command: "LOCAL" }, nobody.port),
        { code: "ECONNREFUSED" },
      );
    }
    await until("no socket", () => Object.keys(agent.sockets).length === 0);
  });
}

test("HeaderAgent bounds the idle connections of all clients together", async () => {
  const sender = SENDERS.http({ maxFreeSockets: 2 });
  await withBackend("http", async ({ port, sockets }) => {
    await withSender(sender, port, async (proxy) => {
      const addresses = [1, 2, 3, 4].map((i) => `192.0.2.${i}`);
      const clients: Client[] = [];
      for (const address of addresses) {
        const client = await dialAs(proxy, address);
        clients.push(client);
        assert.equal(await told(client), address);
        const count = Math.min(clients.length, 2);
        await until("idle connections", () => idleOf(sender.agent) === count);
      }
      // The last two are kept, the first has to connect anew.
      for (const i of [3, 2, 0]) {
        const client = clients[i];
        assert(client);
        assert.equal(await told(client), addresses[i]);
      }
      assert.equal(sockets.size, 5);
      for (const { socket } of clients) socket.destroy();
    });
  });
});

test("HeaderAgent closes a connection that has been idle for long", async () => {
  const sender = SENDERS.http({ idleTimeout: 20 });
  await withBackend("http", async ({ port, sockets }) => {
    await withSender(sender, port, async (proxy) => {
      const anna = await dialAs(proxy, ANNA);
      assert.equal(await told(anna), ANNA);
      const [socket] = sockets;
      assert(socket);
      if (!socket.destroyed) await within(once(socket, "close"), "a close");
      assert.equal(await told(anna), ANNA);
      assert.equal(sockets.size, 2);
      anna.socket.destroy();
    });
  });
});

test("HeaderAgent does not count time in use as idle", async () => {
  const agent = new HeaderAgent({ idleTimeout: 20 });
  const held = Promise.withResolvers<void>();
  const backend = createHttpServer(({ socket, url }, response) => {
    const answer = () => response.end(`told ${socket.remotePort};`);
    if (url === "/slow") held.promise.then(answer);
    else answer();
  });
  proxied(backend, { trust: TRUST });
  const client = { command: "LOCAL" };
  await listening(backend, async (port) => {
    const to = { host: "127.0.0.1", port, agent: agent.for(client) };
    const first = await textOf((done) => request(to, done));
    const slow = textOf((done) => request({ ...to, path: "/slow" }, done));
    const { promise, resolve } = Promise.withResolvers<void>();
    setTimeout(resolve, 60); // three times as long as it may be idle
    await promise;
    held.resolve();
    assert.equal(await slow, first);
    agent.destroy();
  });
});

test("HeaderAgent gives up a connection that is upgraded", async () => {
  const agent = new HeaderAgent({ idleTimeout: 20 });
  const backend = createHttpServer();
  backend.on("upgrade", (_request, socket: Socket) => {
    socket.on("error", () => {});
    socket.write(
      "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n",
    );
    socket.write(`told ${socket.remoteAddress};`);
    socket.pipe(socket);
  });
  proxied(backend, { trust: TRUST });
  await listening(backend, async (port) => {
    const upgraded = Promise.withResolvers<[IncomingMessage, Socket, Buffer]>();
    await withProxy((req, res) => {
      request({
        ...{ host: "127.0.0.1", port, agent: agent.for(req) },
        headers: { connection: "Upgrade", upgrade: "echo" },
      }).on("upgrade", (...args: [IncomingMessage, Socket, Buffer]) => {
        upgraded.resolve(args);
        res.end();
      }).on("error", upgraded.reject).end();
    }, async (proxy) => {
      const anna = await dialAs(proxy, ANNA);
      await anna.write("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
      const [, socket, head] = await within(upgraded.promise, "an upgrade");
      let text = head.toString();
      socket.on("data", (chunk) => text += chunk);
      await until("the greeting", () => text === `told ${ANNA};`);
      anna.socket.destroy();
      const { promise, resolve } = Promise.withResolvers<void>();
      setTimeout(resolve, 60); // longer than it may be idle
      await promise;
      socket.write("still here");
      await until("an echo", () => text.endsWith("still here"));
      socket.destroy();
    });
  });
});

test("HeaderAgent sends nothing without a client, also when it has to wait", async () => {
  const agent = new HeaderAgent({ maxTotalSockets: 1 });
  await withBackend("http", async ({ port }) => {
    const to = { host: "127.0.0.1", port };
    const throws = () =>
      assert.throws(
        () => request({ ...to, agent }),
        { name: "TypeError", message: /for which client\? Use agent\.for/ },
      );
    throws();
    const own = agent.for({ command: "LOCAL" });
    const text = textOf((done) => {
      const sent = request({ ...to, agent: own }, done);
      throws();
      return sent;
    });
    assert.equal(await text, "told 127.0.0.1;");
    agent.destroy();
  });
});

test("HeaderAgent sends what it is given as a header", async () => {
  const { agent, send } = SENDERS.http();
  await withBackend("http", async ({ port, sockets }) => {
    const header = {
      source: { transport: "tcp", hostname: ANNA, port: 1 },
      destination: { transport: "tcp", hostname: BEN, port: 2 },
      tlvs: { AUTHORITY: "example.com" },
    };
    assert.equal(await send(header, port), `told ${ANNA};`);
    assert.equal(await send({ command: "LOCAL" }, port), "told 127.0.0.1;");
    const infos = Array.from(sockets, (socket) => proxyInfo(socket));
    assert.deepEqual(
      infos.map((info) => [info?.command, info?.tlvs.AUTHORITY]),
      [["PROXY", "example.com"], ["LOCAL", undefined]],
    );
    agent.destroy();
  });
});

test("HeaderAgent passes on the TLVs of a client, and none of a header that was discarded", async () => {
  const tlvs = tlv("ea", "01") + tlv("02", textHex("example.com")) +
    tlv("ea", "02");
  const header = v2("2111", BLOCK4 + tlvs);
  for (const mode of ["require", "discard"] as const) {
    const { agent, send } = SENDERS.http();
    await withBackend("http", async ({ port, sockets }) => {
      const server = createHttpServer((req, res) => {
        if (mode === "discard") {
          assert.throws(() => askFor(agent, proxyInfo(req)), /discarded/);
        }
        send(req, port).then((text) => res.end(text), () => res.destroy());
      });
      proxied(server, { trust: TRUST, header: mode });
      await listening(server, async (proxy) => {
        const client = await dial(proxy, header);
        const isTold = mode === "require";
        assert.equal(await told(client), isTold ? "192.0.2.1" : "127.0.0.1");
        const [socket] = sockets;
        assert(socket);
        const info = proxyInfo(socket);
        assert.deepEqual(
          info && Buffer.from(info.rest).toString("hex"),
          isTold ? tlvs : "",
        );
        client.socket.destroy();
      });
      agent.destroy();
    });
  }
});

/** Asks for the agent of what may be nothing. */
function askFor(agent: Agent, client: object | undefined): void {
  assert(agent instanceof HeaderAgent && client !== undefined);
  agent.for(client);
}

test("HeaderAgent tells a direct client, of a server that is not proxied too", async () => {
  const { agent, send } = SENDERS.http();
  await withBackend("http", async ({ port, sockets }) => {
    const pass = (req: IncomingMessage, res: { end(text: string): unknown }) =>
      void send(req, port).then((text) => res.end(text));
    const first = createHttpServer(pass);
    proxied(first, { trust: "none", untrusted: "direct" });
    for (const server of [first, createHttpServer(pass)]) {
      await listening(server, async (proxy) => {
        const client = await dial(proxy);
        assert.equal(await told(client), "127.0.0.1");
        const socket = [...sockets].at(-1);
        assert.equal(socket?.remotePort, client.socket.localPort);
        assert.equal(socket?.localPort, proxy);
        client.socket.destroy();
      });
    }
    agent.destroy();
  });
});

test("HeaderAgent keeps connections for a session of HTTP/2, until it closes", async () => {
  const { agent, send } = SENDERS.http({ idleTimeout: Infinity });
  await withBackend("http", async ({ port, sockets }) => {
    const server = createHttp2Server((req, res) => {
      send(req, port).then((text) => res.end(text), () => res.stream.close());
    });
    await listening(proxied(server, { trust: TRUST }), async (proxy) => {
      const { socket } = await dialAs(proxy, ANNA);
      socket.removeAllListeners("data");
      const session = connectHttp2(`http://127.0.0.1:${proxy}`, {
        createConnection: () => socket,
      });
      for (let i = 1; i <= 3; i++) {
        const stream = session.request({ ":path": "/" }).setEncoding("utf8");
        let text = "";
        stream.on("data", (chunk) => text += chunk);
        await within(once(stream, "end"), "an answer");
        assert.equal(text, `told ${ANNA};`);
        await until("an idle connection", () => idleOf(agent) === 1);
      }
      assert.equal(sockets.size, 1);
      session.destroy();
      await until("no idle connection", () => idleOf(agent) === 0);
    });
  });
});

test("HeaderAgent takes no wrong options", () => {
  const wrong: [HeaderAgentOptions, RegExp][] = [
    [{ idleTimeout: 0 }, /idleTimeout/],
    [{ idleTimeout: NaN }, /idleTimeout/],
    [JSON.parse('{ "header": { "vresion": 1 } }'), /did you mean "version"/],
    [JSON.parse('{ "header": { "version": 3 } }'), /version/],
  ];
  for (const [options, message] of wrong) {
    for (const Kind of [HeaderAgent, HttpsHeaderAgent]) {
      assert.throws(() => new Kind(options), { message });
    }
  }
  const agent = new HeaderAgent({ header: { version: 1 } });
  for (const client of [{}, [], () => {}]) {
    assert.throws(() => agent.for(client), /Cannot name the client/);
  }
});
