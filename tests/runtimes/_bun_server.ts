/** The server of the scenarios by `./bun`: tells its port, then serves. */

import { proxied } from "../../conn/bun.ts";
import { listen, type Socket } from "../bun/_bun.ts";
import { OPTIONS } from "./_options.ts";
import { tell } from "./_script.ts";

/** What is still to be sent to a socket, and whether its end comes after that. */
interface Sending {
  chunks: Uint8Array[];
  isEnding: boolean;
}

const SENDINGS = new WeakMap<Socket, Sending>();

function send(socket: Socket, chunk?: Uint8Array): void {
  const sending = SENDINGS.get(socket) ?? { chunks: [], isEnding: false };
  SENDINGS.set(socket, sending);
  if (chunk !== undefined) sending.chunks.push(chunk);
  for (let [next] = sending.chunks; next; [next] = sending.chunks) {
    const taken = Math.max(socket.write(next), 0);
    if (taken < next.length) {
      sending.chunks[0] = next.subarray(taken);
      return; // drain comes back here
    }
    sending.chunks.shift();
  }
  if (sending.isEnding) socket.end();
}

const listener = listen({
  hostname: "127.0.0.1",
  port: 0,
  allowHalfOpen: true,
  socket: proxied<Socket>({
    binaryType: "uint8array",
    open(socket) {
      const { remoteAddress = null, remotePort = null } = socket;
      const told = { hostname: remoteAddress, port: remotePort };
      send(socket, new TextEncoder().encode(JSON.stringify(told) + "\n"));
    },
    data: (socket, payload) => send(socket, payload),
    drain: (socket) => send(socket),
    end(socket) {
      const sending = SENDINGS.get(socket);
      if (sending) sending.isEnding = true;
      send(socket);
    },
  }, OPTIONS),
});
tell(listener.port);
