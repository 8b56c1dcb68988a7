import { tcpAddress } from "../../_ends.ts";
import {
  type BunProxiedHandlers,
  type BunRelaySocket,
  proxied,
  proxyHop,
  relay,
} from "../../bun.ts";
import type { Runtime } from "../runtime.ts";
import { listenForSockets } from "./sockets.ts";

/** As much of it as is needed. */
declare const Bun: {
  listen(options: {
    hostname: string;
    port: number;
    allowHalfOpen: boolean;
    socket: BunProxiedHandlers<BunRelaySocket>;
  }): { hostname: string; port: number; stop(): void };
};

/** Bun. */
export const BUN: Runtime = {
  listen: listenForSockets,
  serve(where, options, handle) {
    const socket = proxied({
      open(socket: BunRelaySocket, info) {
        const hop = proxyHop(socket) ?? tcpAddress();
        handle({
          info,
          hop,
          relay: (to, options) => relay(socket, to, options),
        });
      },
    }, options);
    const listener = Bun.listen({ ...where, allowHalfOpen: true, socket });
    return Promise.resolve({
      addr: tcpAddress(listener.hostname, listener.port),
      stats: socket.stats,
      close: () => listener.stop(),
    });
  },
};
