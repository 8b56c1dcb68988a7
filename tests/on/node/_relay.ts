/** `relay` of `.` over the streams of `node:net`. */

import { connect, createServer, type Socket } from "node:net";
import { Duplex } from "node:stream";
import { accept, type ByteDuplex, relay } from "../../../mod.ts";
import type { Log, Opened } from "../_host.ts";
import { listenOn } from "./_listen.ts";
import type { Service } from "../_service.ts";

/** A socket as a pair of streams. */
function toPair(socket: Socket): ByteDuplex {
  socket.on("error", () => {}); // the streams tell
  const { readable, writable } = Duplex.toWeb(socket);
  const { remoteAddress: hostname = "", remotePort: port = 0 } = socket;
  return {
    readable,
    writable,
    remoteAddr: { transport: "tcp", hostname, port },
    close: () => socket.destroy(),
  };
}

/** Opens a service that relays. */
export function openRelay(
  service: Service,
  { onReject, onRelayed }: Log,
): Promise<Opened> {
  const { options, relayTo = 0 } = service;
  const dial = () => {
    const target = connect({ port: relayTo, allowHalfOpen: true });
    return Promise.resolve(toPair(target));
  };
  const server = createServer({ allowHalfOpen: true }, async (socket) => {
    try {
      const { conn } = await accept(toPair(socket), options);
      const { sent, received, error } = await relay(conn, dial, { send: 2 });
      onRelayed({ sent, received, hasFailed: error !== undefined });
    } catch (error) {
      onReject(error);
    }
  });
  return listenOn(server, service);
}
