/** Passes each connection on, with its header, on Node. */

import { connect, createServer, type Socket } from "node:net";
import { proxied, relay } from "../../conn/node.ts";
import { args, isOurs, listenHere, OPTIONS } from "./_server.ts";

const target = { host: "127.0.0.1", port: +(args[0] ?? 0) };

function copy(from: Socket, to: Socket): void {
  from.on("data", (chunk: Uint8Array) => {
    if (!to.write(chunk)) from.pause();
  });
  to.on("drain", () => from.resume());
  from.on("end", () => to.end());
  from.on("error", () => to.destroy());
}

const options = { allowHalfOpen: true, noDelay: true };

const server = createServer(options, (socket) => {
  if (isOurs) return void relay(socket, target, { send: 2 });
  const to = connect({ ...options, ...target });
  copy(socket, to);
  copy(to, socket);
});
if (isOurs) proxied(server, OPTIONS);
listenHere(server);
