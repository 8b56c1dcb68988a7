/** Answers one request on each connection, on Node. */

import { createServer } from "node:http";
import { proxied } from "../../conn/node.ts";
import { isOurs, listenHere, OPTIONS } from "./_server.ts";

const server = createServer((_request, response) => response.end("hello\n"));
if (isOurs) proxied(server, OPTIONS);
listenHere(server);
