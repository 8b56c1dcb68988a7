/** `./testing`: a client that comes through a proxy, against servers of this runtime. */

import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer as createHttpServer, get } from "node:http";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import {
  connect as connectTls,
  createServer as createTlsServer,
} from "node:tls";
import { proxied, type ProxyProtocolError } from "../../../conn/node.ts";
import {
  connectThrough,
  isRejected,
  REJECTED,
  SENDERS,
} from "../../../conn/testing.ts";
import { closedPort, KEY_PAIR, listening, TRUST } from "./_kit.ts";

/** Says whom it sees, then what it is sent, and ends when its client has. */
function tell(socket: Socket): void {
  socket.on("error", () => {});
  socket.write(`${socket.remoteAddress} ${socket.remotePort} `);
  socket.pipe(socket);
}

const listener = () => proxied(createServer(tell), { trust: TRUST });

const SOURCE = {
  transport: "tcp",
  hostname: "192.0.2.7",
  port: 51234,
} as const;

const HEADERS: Record<
  string,
  [header: Parameters<typeof connectThrough>[1], seen: string]
> = {
  "a header of a sender": [SENDERS.haproxyV2, "192.0.2.1 1111"],
  "bytes": [SENDERS.haproxyV1Ipv6.bytes, "2001:db8::1 1111"],
  "a text": [
    "PROXY TCP4 192.0.2.8 198.51.100.9 5 443\r\n",
    "192.0.2.8 5",
  ],
  "an object": [
    { source: SOURCE, destination: { ...SOURCE, port: 443 } },
    "192.0.2.7 51234",
  ],
  "an object of v1": [
    { version: 1, source: SOURCE, destination: { ...SOURCE, port: 443 } },
    "192.0.2.7 51234",
  ],
  "what another header says": [SENDERS.awsNlb.info, "172.31.7.113 51442"],
};

for (const [what, [header, seen]] of Object.entries(HEADERS)) {
  test(`connectThrough() sends ${what}, then what its caller writes`, async () => {
    await listening(listener(), async (port) => {
      await using socket = await connectThrough({ port }, header);
      socket.end("payload");
      assert.equal(await text(socket), `${seen} payload`);
    });
  });
}

test("connectThrough() takes the address that each runtime tells of a server", async () => {
  const server = listener();
  await listening(server, async (port) => {
    const addresses = [
      server.address(),
      { transport: "tcp", hostname: "127.0.0.1", port } as const,
      { hostname: "0.0.0.0", port },
      { address: "::", family: "IPv6", port },
      { hostname: "127.0.0.1", port, unix: undefined },
      { port },
    ];
    for (const address of addresses) {
      await using socket = await connectThrough(address, SENDERS.nginxV1);
      socket.end();
      assert.equal(await text(socket), "192.0.2.1 1111 ");
    }
  });
  await assert.rejects(
    connectThrough(server.address(), SENDERS.nginxV1),
    new TypeError("Cannot connect: the server does not listen"),
  );
});

test("connectThrough() takes the path of a UNIX socket", async () => {
  const folder = mkdtempSync(join(tmpdir(), "testing-"));
  try {
    const path = join(folder, "socket");
    const server = proxied(createServer(tell), { trust: ["unix"] });
    server.listen(path);
    await once(server, "listening");
    for (const address of [path, { path }, { unix: path }]) {
      await using socket = await connectThrough(address, SENDERS.nginxV1);
      socket.end();
      assert.equal(await text(socket), "192.0.2.1 1111 ");
    }
    server.close();
    await once(server, "close");
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("connectThrough() connects from an address of the caller's", async () => {
  await listening(listener(), async (port) => {
    const from = (localAddress: string) =>
      connectThrough({ port }, SENDERS.nginxV1, { localAddress });
    await using hop = await from("127.0.0.1");
    await using other = await from("127.0.0.2");
    hop.end();
    assert.deepEqual(
      [await isRejected(hop), await isRejected(other)],
      [false, true],
    );
  });
});

test("connectThrough() throws if nobody listens, and for a header that encode() rejects", async () => {
  await using nobody = await closedPort();
  const { port } = nobody;
  await assert.rejects(
    connectThrough({ port }, SENDERS.nginxV1),
    /ECONNREFUSED/,
  );
  await assert.rejects(
    connectThrough({ port }, { source: SOURCE }),
    TypeError,
  );
});

for (const [name, { bytes, code }] of Object.entries(REJECTED)) {
  test(`isRejected() says so of ${name}`, async () => {
    const errors: ProxyProtocolError[] = [];
    const server = proxied(createServer(tell), {
      trust: TRUST,
      onReject: (error) => void errors.push(error),
    });
    await listening(server, async (port) => {
      await using socket = await connectThrough({ port }, bytes);
      assert.equal(await isRejected(socket), true);
      assert.equal(await isRejected(socket), true);
    });
    assert.deepEqual(errors.map((error) => error.code), [code]);
  });
}

test("isRejected() says so of a peer that is not trusted, however early it is reset", async () => {
  const server = createServer();
  await listening(proxied(server, { trust: [] }), async (port) => {
    for (let i = 0; i < 50; i++) {
      await using socket = await connectThrough({ port }, SENDERS.nginxV1);
      assert.equal(await isRejected(socket), true);
    }
  });
});

test("isRejected() leaves the first byte to be read, and waits for it", async () => {
  const served = Promise.withResolvers<Socket>();
  const server = createServer((socket) => {
    socket.on("error", () => {});
    served.resolve(socket);
  });
  await listening(proxied(server, { trust: TRUST }), async (port) => {
    await using socket = await connectThrough({ port }, SENDERS.nginxV1);
    const asked = isRejected(socket);
    (await served.promise).end("220 hello");
    assert.equal(await asked, false);
    assert.equal(await text(socket), "220 hello");
  });
});

test("the socket of connectThrough() takes a request of HTTP", async () => {
  const server = createHttpServer(({ socket, url }, response) => {
    response.end(`${url} of ${socket.remoteAddress}`);
  });
  proxied(server, { trust: TRUST });
  await listening(server, async (port) => {
    const socket = await connectThrough({ port }, SENDERS.trafficServerV2Ipv6);
    const request = get({ path: "/x", createConnection: () => socket });
    const [response] = await once(request, "response");
    assert.equal(await text(response), "/x of 2001:db8::1");
    socket.destroy();
  });
});

test("the socket of connectThrough() takes TLS after the header", async () => {
  const server = createTlsServer(KEY_PAIR, tell);
  proxied(server, { trust: TRUST });
  await listening(server, async (port) => {
    const socket = await connectThrough({ port }, SENDERS.haproxyV1);
    const tls = connectTls({
      socket,
      ca: KEY_PAIR.cert,
      servername: "localhost",
    });
    await once(tls, "secureConnect");
    tls.end("payload");
    assert.equal(await text(tls), "192.0.2.1 1111 payload");
    socket.destroy();
  });
});
