/** Servers of `node:net`, as services. */

import { once } from "node:events";
import type { Server } from "node:net";
import type { ListenerStats } from "../../../conn/types.ts";
import type { Opened } from "../_host.ts";
import type { Service } from "../_service.ts";

/** Listens where the service is to be. */
export async function listenOn(
  server: Server,
  { hostname = "127.0.0.1", path }: Service,
  stats?: ListenerStats,
): Promise<Opened> {
  if (path === undefined) server.listen(0, hostname);
  else server.listen(path);
  await once(server, "listening");
  const address = server.address();
  return {
    port: typeof address === "object" ? address?.port ?? 0 : 0,
    ...(stats && { stats }),
    close: () => void server.close(),
  };
}
