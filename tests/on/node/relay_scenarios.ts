/** Relays by `./node`, between sockets of `node:net` and `node:tls`. */

import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import {
  accept,
  type NodeRelayTarget,
  proxied,
  relay,
} from "../../../conn/node.ts";
import type { Target } from "../_relay_kit.ts";
import { runRelayScenarios } from "../_relay_scenarios.ts";
import { closed, KEY_PAIR, portOf, RUNTIME, TRUST } from "./_kit.ts";

/** A target in the words of Node. */
function toNode({ port = 0, path, tls }: Target): NodeRelayTarget {
  const { name, ...others } = tls ?? {};
  const secure = { ...others, ...(name !== undefined && { servername: name }) };
  return {
    ...(path === undefined ? { host: "127.0.0.1", port } : { path }),
    ...(tls && { tls: secure }),
  };
}

runRelayScenarios({
  name: "./node",
  hearsNoTlsResets: RUNTIME === "deno",
  async listen({ accepting, isTls, target, options, times, ...hooks }) {
    const { verify, ...others } = accepting;
    const policy = {
      trust: TRUST,
      ...others,
      ...(verify && { verify: () => verify() }),
    };
    const open = new Set<Socket>();
    const serve = (socket: Socket) => {
      for (let i = 0; i < times; i++) {
        relay(socket, toNode(target()), options)
          .then(hooks.onResult, hooks.onThrown);
        hooks.onCall();
      }
    };
    const server: Server = isTls
      ? createTlsServer(KEY_PAIR, (socket) => {
        // The header is inside TLS, where `proxied` does not look for it.
        accept(socket, policy).then(() => serve(socket), hooks.onThrown);
      })
      : proxied(createServer(serve), policy);
    server.on("connection", (socket) => open.add(socket));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return {
      port: portOf(server),
      async close() {
        for (const socket of open) socket.destroy();
        await closed(server);
      },
    };
  },
});
