import { tcpAddress } from "../../_ends.ts";
import {
  type BunProxiedHandlers,
  type BunSocket,
  proxied,
  proxyHop,
  relay,
} from "../../bun.ts";
import type { Runtime } from "../runtime.ts";
import { listenForSockets } from "./sockets.ts";
import { spawnByNode } from "./spawn.ts";

/** A socket of Bun, as much of it as is needed. */
interface Socket extends BunSocket {
  setKeepAlive(on: boolean, initialDelay: number): unknown;
}

/** As much of it as is needed. */
declare const Bun: {
  listen(options: {
    hostname: string;
    port: number;
    reusePort: boolean;
    allowHalfOpen: boolean;
    socket: BunProxiedHandlers<Socket>;
  }): { hostname: string; port: number; stop(): void };
};

/** Bun. */
export const BUN: Runtime = {
  listen: listenForSockets,
  serve({ where, reusePort, keepAlive, options }, handle) {
    const socket = proxied({
      open(socket: Socket, info) {
        socket.setKeepAlive(true, keepAlive);
        handle({
          info,
          hop: proxyHop(socket) ?? tcpAddress(),
          relay: (to, options) => relay(socket, { ...to, keepAlive }, options),
          close: () => socket.terminate(),
        });
      },
    }, options);
    const listener = Bun.listen({
      ...where,
      reusePort,
      allowHalfOpen: true,
      socket,
    });
    return Promise.resolve({
      addr: tcpAddress(listener.hostname, listener.port),
      stats: socket.stats,
      close: () => listener.stop(),
    });
  },
  spawn: spawnByNode,
};
