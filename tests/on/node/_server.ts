/** The services by `./node`. */

import { createServer as createHttpServer } from "node:http";
import { createServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import {
  type NodeSocket,
  proxied,
  proxyHop,
  proxyInfo,
} from "../../../conn/node.ts";
import { KEY_PAIR } from "../bun/_client.ts";
import { host } from "../_host.ts";
import { seeSocket } from "../_seen.ts";
import { farewell, type Service } from "../_service.ts";
import { listenOn } from "./_listen.ts";
import { openRelay } from "./_relay.ts";

function tell(socket: Socket, { watched }: Service): void {
  const { remoteAddress = null, remotePort = null } = socket;
  const told = { hostname: remoteAddress, port: remotePort };
  socket.on("error", () => socket.destroy());
  socket.write(JSON.stringify(told) + "\n");
  if (watched) echoByEvents(socket);
  else socket.pipe(socket);
}

/** Echoes by the bare events, which `pipe` does not rely on, and says farewell. */
function echoByEvents(socket: Socket): void {
  let read = 0;
  socket.on("data", (chunk: Uint8Array) => {
    read += chunk.length;
    if (!socket.write(chunk)) socket.pause();
  });
  socket.on("drain", () => socket.resume());
  socket.on("end", () => socket.end(farewell(read)));
}

/** A server of a kind, whose sockets go to `serve`. */
function create(
  { watched }: Service,
  serve: (socket: Socket) => void,
): Server {
  const options = { allowHalfOpen: true };
  switch (watched?.server) {
    case "tls":
      return createTlsServer({ ...options, ...KEY_PAIR }, serve);
    case "http":
      return createHttpServer(({ socket }) => serve(socket));
    default:
      return createServer(options, serve);
  }
}

await host<NodeSocket>(
  (socket) => seeSocket(socket, proxyHop(socket), proxyInfo(socket)),
  (service, hooks) => {
    if (service.relayTo !== undefined) return openRelay(service, hooks);
    const server = create(service, (socket) => {
      hooks.onServed(socket);
      tell(socket, service);
    });
    const { stats } = proxied(server, hooks.options);
    return listenOn(server, service, stats);
  },
);
