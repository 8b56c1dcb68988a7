/** The server of the scenarios by `./node`: tells its port, then serves. */

import { createServer } from "node:net";
import { proxied } from "../../conn/node.ts";
import { OPTIONS } from "./_options.ts";
import { tell } from "./_script.ts";

const server = createServer({ allowHalfOpen: true }, (socket) => {
  const { remoteAddress = null, remotePort = null } = socket;
  const told = { hostname: remoteAddress, port: remotePort };
  socket.on("error", () => socket.destroy());
  socket.write(JSON.stringify(told) + "\n");
  socket.pipe(socket);
});
proxied(server, OPTIONS).listen(0, "127.0.0.1", () => {
  const address = server.address();
  if (typeof address === "object") tell(address?.port);
});
