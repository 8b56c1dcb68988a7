/** Answers one request on each connection, on Node. */

import { createServer } from "node:http";
import { proxied } from "../../conn/node.ts";
import { isOurs, OPTIONS, serveAt } from "./_server.ts";

const server = createServer((_request, response) => response.end("hello\n"));
if (isOurs) proxied(server, OPTIONS);
server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  if (typeof address === "object") serveAt(address?.port);
});
