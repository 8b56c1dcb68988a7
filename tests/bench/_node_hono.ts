/** Answers requests by a handler of `fetch` on `node:http`, as Hono has it there. */

import type { Server } from "node:http";
import { proxied } from "../../conn/node.ts";
import { folderWith } from "../_npm.ts";
import { HONO, HONO_NODE_SERVER } from "../_versions.ts";
import { OPTIONS, serveAt } from "./_server.ts";

/** As much of the adapter as is used. */
interface Adapter {
  createAdaptorServer(options: { fetch(): Response }): Server;
}

const folder = folderWith(HONO, HONO_NODE_SERVER);
const { createAdaptorServer }: Adapter = await import(
  `${folder}/node_modules/@hono/node-server/dist/index.mjs`
);
const server = createAdaptorServer({ fetch: () => new Response("hello\n") });
proxied(server, OPTIONS);
server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  if (typeof address === "object") serveAt(address?.port);
});
