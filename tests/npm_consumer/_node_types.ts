/** The types of the package on Node, with those of Node around them. */

import { accept } from "@edgewire/proxy-protocol";
import {
  accept as acceptSocket,
  proxied,
  proxyHop,
  proxyInfo,
  relay,
  upgradeTls,
} from "@edgewire/proxy-protocol/node";
import { connectThrough, SENDERS } from "@edgewire/proxy-protocol/testing";
import { type CliIo, runCli } from "@edgewire/proxy-protocol/cli";
import { createServer } from "node:http";
import { createSecureServer } from "node:http2";
import { connect } from "node:net";
import { Duplex } from "node:stream";
import { createServer as createTlsServer, TLSSocket } from "node:tls";

const trust = ["10.0.0.0/8"];

export async function use(): Promise<void> {
  const server = proxied(
    createServer((request, response) => {
      const name: string | undefined = proxyInfo(request)?.tlvs.AUTHORITY;
      response.end(`${name} ${proxyHop(request)?.transport}`);
    }),
    { trust },
  );
  server.listen(8080);
  const accepted: number = server.stats.accepted;
  proxied(createSecureServer({}), { trust }).listen(accepted);
  const client = await connectThrough(server.address(), SENDERS.awsNlb);
  const origin: string = SENDERS.awsNlb.origin;
  client.end(origin);
  // Typed without a name, as what it is: the header comes before TLS.
  const verify: Parameters<typeof proxied>[1]["verify"] = (info, socket) =>
    info.version === 2 && socket.setKeepAlive(true).bytesRead > 0;
  proxied(createTlsServer({}), { trust, verify });
  proxied(createTlsServer({}), {
    trust,
    // @ts-expect-error There is no certificate yet.
    verify: (_info, socket) => socket.getPeerCertificate() !== undefined,
  });
  await acceptSocket(new TLSSocket(connect(80)), {
    trust,
    verify: (_info, socket) => socket.getPeerCertificate() !== undefined,
  });
  const socket = connect(80);
  const { conn } = await acceptSocket(socket, { trust });
  conn.setNoDelay(true);
  await accept(Duplex.toWeb(socket), { trust });
  const tls = upgradeTls(socket, { key: "", cert: "", ALPNProtocols: ["h2"] });
  const name: string | false | null | undefined = tls?.alpnProtocol;
  upgradeTls(socket, { isServer: false, servername: `${name}` });
  const { sent } = await relay(socket, { host: "10.0.0.9", port: 443 }, {
    send: 2,
    add: { NETNS: "blue" },
    append: { xE4: new Uint8Array() },
    ifAbsent: { AUTHORITY: "a.example" },
  });
  await relay(socket, { path: "/run/s", tls: true });
  await relay(socket, {
    port: 1,
    noDelay: true,
    tls: { ca: "", servername: "" },
  });
  await relay(socket, () => connect(sent));
  if (tls !== undefined) {
    await relay(tls, async () => await Promise.resolve(tls));
  }
  // @ts-expect-error There is nowhere to connect to.
  await relay(socket, { host: "10.0.0.9" });
}

export async function tool(io: CliIo): Promise<number> {
  return await runCli(["decode", "--json"], io);
}
