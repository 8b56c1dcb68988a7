/** The services by `./bun`. */

import { proxied } from "../../../conn/bun.ts";
import { listen, type Socket } from "./_bun.ts";
import { host } from "../_host.ts";
import { openRelay } from "../node/_relay.ts";

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
      socket.pause();
      return; // drain comes back here
    }
    sending.chunks.shift();
  }
  socket.resume();
  if (sending.isEnding) socket.end();
}

await host((service, log) => {
  if (service.relayTo !== undefined) return openRelay(service, log);
  const { onReject } = log;
  const closing = new AbortController();
  const { signal } = closing;
  const socket = proxied<Socket>({
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
  }, { ...service.options, onReject, signal });
  const { hostname = "127.0.0.1", path } = service;
  const listener = listen({
    ...(path === undefined ? { hostname, port: 0 } : { unix: path }),
    allowHalfOpen: true,
    socket,
  });
  const { stats } = socket;
  const close = () => {
    listener.stop();
    closing.abort();
  };
  return { port: listener.port ?? 0, stats, close };
});
