/** The end of the chain: a server of HTTP on node that tells what it sees. */

import { Buffer } from "node:buffer";
import { createServer } from "node:http";
import process from "node:process";
import { proxied, proxyInfo } from "../../../conn/node.ts";

const server = createServer((request, response) => {
  const { remoteAddress = "", remotePort = 0 } = request.socket;
  const header = Buffer.from(proxyInfo(request)?.raw ?? []).toString("base64");
  response.setHeader("Connection", "close");
  response.end(JSON.stringify({ remoteAddress, remotePort, header }));
});
proxied(server, { trust: ["127.0.0.1"] }).listen(0, "127.0.0.1", () => {
  const address = server.address();
  if (typeof address === "object") console.log(address?.port);
});

// Whoever has started this ends it by closing its input.
process.stdin.resume().on("end", () => process.exit());
