/** The services by `./node`. */

import { createServer as createHttpServer } from "node:http";
import {
  createSecureServer,
  createServer as createHttp2Server,
} from "node:http2";
import { createServer as createHttpsServer } from "node:https";
import { createServer, type Server, type Socket } from "node:net";
import process from "node:process";
import { createServer as createTlsServer } from "node:tls";
import {
  type NodeSocket,
  proxied,
  proxyHop,
  proxyInfo,
  ready,
  relay,
} from "../../../conn/node.ts";
import { KEY_PAIR } from "../bun/_client.ts";
import { host } from "../_host.ts";
import { seeSocket } from "../_seen.ts";
import { farewell, type Service } from "../_service.ts";
import { listenOn } from "./_listen.ts";
import { openRelay } from "./_relay.ts";

/** Whom the server sees. */
function told({ remoteAddress, remotePort }: Pick<
  Socket,
  "remoteAddress" | "remotePort"
>): string {
  const seen = { hostname: remoteAddress ?? null, port: remotePort ?? null };
  return JSON.stringify(seen) + "\n";
}

function tell(socket: Socket, { watched }: Service): void {
  socket.on("error", () => socket.destroy());
  socket.write(told(socket));
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

/** Answers a request of HTTP/1 or HTTP/2. */
function answer(
  { socket }: { socket: Pick<Socket, "remoteAddress" | "remotePort"> },
  response: { end(text: string): unknown },
): void {
  response.end(told(socket));
}

/** A server of a kind, whose sockets go to `serve`. */
function create(
  { kind, watched }: Service,
  serve: (socket: Socket) => void,
): Server {
  const options = { allowHalfOpen: true };
  switch (kind) {
    case "tls":
      // Not half-open: Node would keep whoever leaves in the handshake for 2 min.
      return createTlsServer(KEY_PAIR, serve);
    case "http":
      return createHttpServer(answer);
    case "https":
      return createHttpsServer(KEY_PAIR, answer);
    case "http2":
      return createHttp2Server(answer);
    case "http2 in TLS":
      return createSecureServer({ ...KEY_PAIR, allowHTTP1: true }, answer);
  }
  switch (watched?.server) {
    case "tls":
      return createTlsServer({ ...options, ...KEY_PAIR }, serve);
    case "http":
      return createHttpServer(({ socket }) => serve(socket));
    default:
      return createServer(options, serve);
  }
}

// Deno opens the files of its signals half a second after its start: now, so
// that files can be counted.
const ignore = () => {};
process.on("SIGUSR2", ignore).off("SIGUSR2", ignore);

await host<NodeSocket>(
  (socket) => seeSocket(socket, proxyHop(socket), proxyInfo(socket)),
  (service, hooks) => {
    const { relayTo: port, relaysPairs } = service;
    if (relaysPairs) return openRelay(service, hooks);
    const pass = async (socket: Socket, port: number) => {
      const target = { host: "127.0.0.1", port };
      const { sent, received, error } = await relay(socket, target, {
        send: 2,
      });
      hooks.onRelayed({ sent, received, hasFailed: error !== undefined });
    };
    const server = create(service, (socket) => {
      hooks.onServed(socket, service.options.lazy ? ready(socket) : undefined);
      if (port === undefined) tell(socket, service);
      else pass(socket, port);
    });
    const { stats } = proxied(server, hooks.options);
    return listenOn(server, service, stats);
  },
);
