import { createServer } from "node:net";
import { tcpAddress } from "../../_ends.ts";
import { proxied, proxyHop, proxyInfo, relay } from "../../node.ts";
import type { Runtime } from "../runtime.ts";
import { bind, listenForSockets } from "./sockets.ts";

/** Node. */
export const NODE: Runtime = {
  listen: listenForSockets,
  async serve(where, options, handle) {
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      const hop = proxyHop(socket) ?? tcpAddress();
      handle({
        info: proxyInfo(socket),
        hop,
        relay: ({ hostname: host, port }, options) =>
          relay(socket, { host, port }, options),
      });
    });
    const { stats } = proxied(server, options);
    const addr = await bind(server, where);
    return { addr, stats, close: () => void server.close() };
  },
};
