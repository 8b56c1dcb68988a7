/** Answers requests by a handler of `fetch` on `node:http`, as Hono has it there. */

import type { Server } from "node:http";
import { createRequire } from "node:module";
import { join } from "node:path";
import { proxied } from "../../conn/node.ts";
import { folderWith } from "../_npm.ts";
import { HONO, HONO_NODE_SERVER } from "../_versions.ts";
import { listenHere, OPTIONS } from "./_server.ts";

/** As much of the adapter as is used. */
interface Adapter {
  createAdaptorServer(options: { fetch(): Response }): Server;
}

const folder = folderWith(HONO, HONO_NODE_SERVER);
// By `require`, which finds what the adapter needs on every runtime.
const { createAdaptorServer }: Adapter = createRequire(
  join(folder, "package.json"),
)("@hono/node-server");
const server = createAdaptorServer({ fetch: () => new Response("hello\n") });
proxied(server, OPTIONS);
listenHere(server);
