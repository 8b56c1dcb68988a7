import { createServer, type Server, type Socket } from "node:net";
import { tcpAddress } from "../../_ends.ts";
import type { Address } from "../../../codec/mod.ts";
import { accept } from "../../node.ts";
import type { HostPort } from "../read_text.ts";
import type { Arrival, Arrivals } from "../runtime.ts";
import { SocketConn } from "../socket_conn.ts";

/** Makes a server listen; where it does. */
export function bind(
  server: Server,
  { hostname: host, port }: HostPort,
  reusePort: boolean,
): Promise<Address> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host, port, reusePort }, () => {
      const address = server.address();
      const bound = typeof address === "object" ? address : undefined;
      resolve(tcpAddress(bound?.address, bound?.port));
    });
  });
}

/**
 * Listens by `node:net`, which accepts connections whether or not somebody asks:
 * they wait here. If there is no descriptor left, Bun leaves them in the system.
 * Node closes them.
 */
export async function listenForSockets(where: HostPort): Promise<Arrivals> {
  const ready: [Arrival, Socket][] = [];
  const waiting: PromiseWithResolvers<Arrival>[] = [];
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on("error", () => {}); // of one that waits; reading reports it
    const arrival: Arrival = {
      hop: tcpAddress(socket.remoteAddress, socket.remotePort),
      async receive(options) {
        const { info } = await accept(socket, options);
        return { info, conn: new SocketConn(socket) };
      },
    };
    const first = waiting.shift();
    if (first === undefined) ready.push([arrival, socket]);
    else first.resolve(arrival);
  });
  const addr = await bind(server, where, false);
  return {
    addr,
    accept() {
      const first = ready.shift();
      if (first !== undefined) return Promise.resolve(first[0]);
      const next = Promise.withResolvers<Arrival>();
      waiting.push(next);
      return next.promise;
    },
    close() {
      server.close();
      for (const [, socket] of ready.splice(0)) socket.destroy();
      for (const { reject } of waiting.splice(0)) {
        reject(new Error("Cannot accept a connection: closed"));
      }
    },
  };
}
