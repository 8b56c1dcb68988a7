/** The end of the chain: a server of HTTP on node that tells what it sees. */

import { Buffer } from "node:buffer";
import { createServer } from "node:http";
import { proxied, proxyInfo } from "../../../../conn/node.ts";
import { tell } from "../../../on/_script.ts";

const server = createServer((request, response) => {
  const { remoteAddress = "", remotePort = 0 } = request.socket;
  const header = Buffer.from(proxyInfo(request)?.raw ?? []).toString("base64");
  response.setHeader("Connection", "close");
  response.end(JSON.stringify({ remoteAddress, remotePort, header }));
});
proxied(server, { trust: ["127.0.0.1"] }).listen(0, "127.0.0.1", () => {
  const address = server.address();
  if (typeof address === "object") tell(address?.port);
});
