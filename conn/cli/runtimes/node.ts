import { createServer } from "node:net";
import { tcpAddress } from "../../_ends.ts";
import { proxied, proxyHop, proxyInfo, relay } from "../../node.ts";
import type { Runtime } from "../runtime.ts";
import { bind, listenForSockets } from "./sockets.ts";
import { spawnByNode } from "./spawn.ts";

/** Node. */
export const NODE: Runtime = {
  listen: listenForSockets,
  async serve({ where, reusePort, keepAlive, options }, handle) {
    const alive = { keepAlive: true, keepAliveInitialDelay: keepAlive };
    const server = createServer({ allowHalfOpen: true, ...alive }, (socket) => {
      const hop = proxyHop(socket) ?? tcpAddress();
      handle({
        info: proxyInfo(socket),
        hop,
        relay: ({ hostname: host, port }, options) =>
          relay(socket, { host, port, ...alive }, options),
        close: () => void socket.destroy(),
      });
    });
    const { stats } = proxied(server, options);
    const addr = await bind(server, where, reusePort);
    return { addr, stats, close: () => void server.close() };
  },
  spawn: spawnByNode,
};
