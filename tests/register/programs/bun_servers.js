/** What listens on Bun itself. */

import { readFileSync } from "node:fs";
import process from "node:process";
import { show } from "./_clients.js";

const KEYS = {
  key: readFileSync("key.pem", "utf8"),
  cert: readFileSync("cert.pem", "utf8"),
};
const PLACE = { hostname: "127.0.0.1", port: 0 };

for (const tls of [undefined, KEYS]) {
  const options = { tls: tls !== undefined };
  const behind = options.tls ? " with TLS" : "";

  const server = Bun.serve({
    ...PLACE,
    tls,
    fetch: (request, server) =>
      new Response(server.requestIP(request)?.address),
  });
  await show(`Bun.serve${behind}`, placeOf(server), options);
  await server.stop(true);

  // Handlers of a class: what a program has on a prototype.
  class Greeter {
    data(socket) {
      socket.end(`${socket.data} ${socket.remoteAddress}`);
    }
    error() {}
  }
  const listener = Bun.listen({
    ...PLACE,
    tls,
    data: "hello",
    socket: new Greeter(),
  });
  await show(`Bun.listen${behind}`, placeOf(listener), options);
  listener.reload({
    socket: {
      data: (socket) => socket.end(`reloaded ${socket.remoteAddress}`),
      error() {},
    },
  });
  await show(`listener.reload${behind}`, placeOf(listener), options);
  listener.stop(true);
}

/** A socket that replaces the handlers of its listener. */
const listener = Bun.listen({
  ...PLACE,
  socket: {
    data(socket) {
      socket.reload({
        socket: { data: (socket) => socket.end(socket.remoteAddress) },
      });
      socket.end("first");
    },
  },
});
await show("before socket.reload", placeOf(listener));
await show("socket.reload", placeOf(listener));
process.exit();

function placeOf({ port }) {
  return { port, host: "127.0.0.1" };
}
