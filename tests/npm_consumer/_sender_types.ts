/** The types of what sends requests to a backend, with those of Node and undici around them. */

import {
  type ClientHeader,
  connectorFor,
  HeaderAgent,
  headerOf,
  HttpsHeaderAgent,
  perClient,
  proxied,
} from "@edgewire/proxy-protocol/node";
import { createServer, request } from "node:http";
import { type ClientHttp2Session, connect as connectHttp2 } from "node:http2";
import { request as requestSecure } from "node:https";
import { Agent, Client, Pool, request as requestUndici } from "undici";

const agent = new HeaderAgent({ maxSockets: 10, header: { version: 1 } });
const secure = new HttpsHeaderAgent({ ca: "", idleTimeout: 1000 });

// @ts-expect-error: an agent of one client is given by for()
secure.for();
// @ts-expect-error: not an option of a header
new HeaderAgent({ header: { vresion: 1 } });
// @ts-expect-error: a client is no text
agent.for("192.0.2.1");

const dispatcherFor = perClient((client) =>
  new Agent({ connect: connectorFor(client) })
);
const sessionFor: (client: object) => ClientHttp2Session = perClient((client) =>
  connectHttp2("https://backend.example", {
    createConnection: connectorFor(client, { tls: { ca: "" } }),
  })
);

proxied(
  createServer(async (req, res) => {
    request({ port: 80, agent: agent.for(req) }).end();
    requestSecure({ agent: secure.for(req.socket) }).end();
    request({ createConnection: connectorFor(req) }).end();
    sessionFor(req).request({ ":path": "/" }).pipe(res);
    const dispatcher = dispatcherFor(req);
    const { body } = await requestUndici("http://127.0.0.1", { dispatcher });
    body.pipe(res);
    new Pool("http://127.0.0.1", { connect: connectorFor(req) });
    new Client("http://127.0.0.1", { connect: connectorFor(req) });
    const { tlvs, ...header }: ClientHeader = headerOf(req);
    agent.for({ ...header, tlvs: { ...tlvs, ALPN: "h2" } });
    agent.for({ command: "LOCAL" });
  }),
  { trust: ["10.0.0.0/8"], encrypted: true },
);
