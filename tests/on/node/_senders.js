/**
 * Reverse proxies by http-proxy, httpxy, undici, `node:http` and `node:http2`, in front of
 * servers that answer with the client which a PROXY header has named to them.
 * `tests/proof/interop/agents_test.ts` copies this to where the packages are, and
 * runs it on each runtime with the address of the adapter and the servers in the
 * environment. Prints what two clients are answered, each three times.
 */

import httpProxy from "http-proxy";
import { createProxyServer } from "httpxy";
import { Buffer } from "node:buffer";
import { once } from "node:events";
import { Agent as HttpAgent, createServer, request } from "node:http";
import { connect as connectHttp2 } from "node:http2";
import { request as requestSecure } from "node:https";
import { connect } from "node:net";
import process from "node:process";
import * as undici from "undici";

const {
  connectorFor,
  HeaderAgent,
  headerOf,
  HttpsHeaderAgent,
  perClient,
  proxied,
  writeHeader,
} = await import(process.argv[2]).then(async (node) => ({
  ...await import(new URL("../mod.ts", process.argv[2])),
  ...node,
}));

const { servers, ca } = JSON.parse(process.env.SENDERS);
const isBun = "bun" in process.versions;

/** Made anew for each server, as are the agents in them. */
const PROXIES = {
  "node:http": (url) => {
    const send = url.protocol === "https:" ? requestSecure : request;
    const agent = agentOf(url);
    return (req, res) => {
      send(url, { agent: agent.for(req) }, (answer) => answer.pipe(res))
        .on("error", (error) => fail(res, error)).end();
    };
  },
  "http-proxy": (url) => {
    const proxy = httpProxy.createProxyServer({ target: url.href });
    const agent = agentOf(url);
    return (req, res) =>
      proxy.web(req, res, { agent: agent.for(req) }, (e) => fail(res, e));
  },
  "httpxy": (url) => {
    const proxy = createProxyServer({ target: url.href });
    const agent = agentOf(url);
    return (req, res) =>
      proxy.web(req, res, { agent: agent.for(req) })
        .catch((error) => fail(res, error));
  },
  // Bun has its own in place of the package, which ignores dispatchers.
  ...!isBun && {
    "undici": (url) => {
      const dispatcherFor = perClient((client) =>
        new undici.Agent({ connect: connectorFor(client, { tls: { ca } }) })
      );
      return (req, res) =>
        undici.request(url, { dispatcher: dispatcherFor(req) })
          .then(({ body }) => body.pipe(res), (error) => fail(res, error));
    },
  },
};

/** Only in TLS, where the server is asked for HTTP/2. */
function overHttp2(url) {
  const sessionFor = perClient((client) =>
    connectHttp2(url, { createConnection: connectorFor(client, { tls: { ca } }) })
  );
  return (req, res) => {
    const stream = sessionFor(req).request({ ":path": "/" });
    stream.on("error", (error) => fail(res, error)).pipe(res);
  };
}

/** As it is usually done: one agent, and the header of whoever comes first. */
function obvious(url) {
  const proxy = httpProxy.createProxyServer({ target: url.href });
  let client;
  class Agent extends HttpAgent {
    createConnection(options, done) {
      const socket = super.createConnection(options, done);
      void writeHeader(socket, headerOf(client));
      return socket;
    }
  }
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  return (req, res) => {
    client = req;
    proxy.web(req, res, { agent }, (error) => fail(res, error));
  };
}

function agentOf({ protocol }) {
  return protocol === "https:"
    ? new HttpsHeaderAgent({ ca })
    : new HeaderAgent();
}

function fail(response, error) {
  response.end(`failed: ${error}\n`);
}

/** A client of a proxy, which keeps its connection. */
class Client {
  constructor(port, address) {
    this.socket = connect(port, "127.0.0.1");
    this.socket.on("error", () => {});
    this.socket.write(headerFrom(address));
    this.text = "";
    this.socket.on("data", (chunk) => this.text += chunk);
  }

  async ask() {
    this.text = "";
    this.socket.write("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    while (!/^(named|failed).*\n/m.test(this.text)) {
      await once(this.socket, "data");
    }
    // All of it, so that its end is not taken for the next answer.
    while (!isWhole(this.text)) await once(this.socket, "data");
    return /^(named|failed).*$/m.exec(this.text)[0];
  }
}

function isWhole(text) {
  const [head, body] = text.split("\r\n\r\n");
  const length = /content-length: (\d+)/i.exec(head)?.[1];
  return length ? body.length >= Number(length) : text.endsWith("0\r\n\r\n");
}

/** v2 by hand: AUTHORITY besides the addresses (section 2.2). */
function headerFrom(address) {
  const authority = Buffer.from(`${address.replaceAll(".", "-")}.example`);
  const fixed = [0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49];
  const ends = [...address.split(".").map(Number), 198, 51, 100, 9, 4, 1, 0, 80];
  const tlv = [0x02, 0, authority.length, ...authority];
  const length = ends.length + tlv.length;
  const head = [...fixed, 0x54, 0x0a, 0x21, 0x11, 0, length];
  return Uint8Array.from([...head, ...ends, ...tlv]);
}

async function answers(pass) {
  const server = createServer(pass);
  proxied(server, { trust: ["127.0.0.1"] }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const clients = ["192.0.2.44", "192.0.2.45"].map((address) =>
    new Client(server.address().port, address)
  );
  const told = clients.map(() => new Set());
  for (let i = 1; i <= 3; i++) {
    for (const [j, client] of clients.entries()) {
      told[j].add(await client.ask());
    }
  }
  for (const { socket } of clients) socket.destroy();
  server.close();
  return told.map((texts) => [...texts].join(" and ")).join("; ");
}

for (const [name, url] of Object.entries(servers)) {
  for (const [proxy, create] of Object.entries(PROXIES)) {
    console.log(`${proxy} to ${name}: ${await answers(create(new URL(url)))}`);
  }
  if (!url.startsWith("https:")) continue;
  console.log(`node:http2 to ${name}: ${await answers(overHttp2(new URL(url)))}`);
}
const plain = Object.entries(servers).find(([, url]) => url.startsWith("http:"));
console.log(`one agent for all: ${await answers(obvious(new URL(plain[1])))}`);
process.exit();
