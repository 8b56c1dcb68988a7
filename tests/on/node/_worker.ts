/** A worker that is sent sockets: it tells what it sees of each, then echoes. */

import { Buffer } from "node:buffer";
import { createServer as createHttpServer } from "node:http";
import { Socket } from "node:net";
import process from "node:process";
import { createSecureContext, TLSSocket } from "node:tls";
import { adopt, proxyHop, proxyInfo } from "../../../conn/node.ts";
import { seeSocket } from "../_seen.ts";
import { KEY_PAIR } from "./_kit.ts";

/** What a worker is told to do with a socket. */
export interface Sent {
  proxy: unknown;
  work: "echo" | "tls" | "http";
  /** What the primary has read of the payload, in base64. */
  read?: string;
}

function tellAndEcho(socket: Socket): void {
  socket.on("error", () => socket.destroy());
  const seen = seeSocket(socket, proxyHop(socket), proxyInfo(socket));
  socket.write(JSON.stringify(seen) + "\n");
  socket.pipe(socket);
}

const http = createHttpServer(({ socket }, response) => {
  response.end(JSON.stringify(
    seeSocket(socket, proxyHop(socket), proxyInfo(socket)),
  ));
});

process.on("message", ({ proxy, work, read }: Sent, socket) => {
  if (!(socket instanceof Socket)) return; // its client has left
  adopt(socket, proxy);
  if (read !== undefined) socket.unshift(Buffer.from(read, "base64"));
  if (work === "http") http.emit("connection", socket);
  else if (work === "echo") tellAndEcho(socket);
  else {
    tellAndEcho(
      new TLSSocket(socket, {
        isServer: true,
        secureContext: createSecureContext(KEY_PAIR),
      }),
    );
  }
});
