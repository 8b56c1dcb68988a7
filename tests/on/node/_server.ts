/** The services by `./node`. */

import { createServer } from "node:net";
import { proxied } from "../../../conn/node.ts";
import { host } from "../_host.ts";
import { listenOn } from "./_listen.ts";
import { openRelay } from "./_relay.ts";

await host((service, log) => {
  if (service.relayTo !== undefined) return openRelay(service, log);
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    const { remoteAddress = null, remotePort = null } = socket;
    const told = { hostname: remoteAddress, port: remotePort };
    socket.on("error", () => socket.destroy());
    socket.write(JSON.stringify(told) + "\n");
    socket.pipe(socket);
  });
  const { onReject } = log;
  const { stats } = proxied(server, { ...service.options, onReject });
  return listenOn(server, service, stats);
});
