/** haproxy and nginx before our servers on every runtime. */

import { HAS_IPV6 } from "../../../conn/_loopback.ts";
import { dial } from "../_client.ts";
import { type Attempt, attempts, type Step } from "../_driver.ts";
import { RUNTIMES } from "../../../on/_servers.ts";
import { seenThroughSender } from "../_runtimes.ts";
import { haproxy, startSender as startHaproxy } from "./haproxy.ts";
import { nginx, startSender as startNginx } from "./nginx.ts";

/** Tries the addresses of a client by one port of a sender. */
async function tryAddresses(
  attempt: Attempt,
  target: string,
  version: number,
  port = 0,
): Promise<void> {
  const hosts = { TCP4: "127.0.0.1", ...HAS_IPV6 ? { TCP6: "::1" } : {} };
  for (const [family, hostname] of Object.entries(hosts)) {
    await attempt({
      input: `v${version} ${family}`,
      target,
      expected: "shows the client",
      see: () => seenThroughSender(dial(port, hostname)),
    });
  }
}

/** Tries both senders before a runtime. */
export async function sendTo(runtime: string, step: Step): Promise<void> {
  const startServer = RUNTIMES[runtime];
  if (startServer === undefined) throw new Error(`no ${runtime}`);
  await using server = await startServer();
  const target = `our server on ${runtime}`;
  {
    await using running = await startHaproxy(server.port);
    const attempt = await attempts(haproxy, step);
    await tryAddresses(attempt, target, 1, running.ports[0]);
    await tryAddresses(attempt, target, 2, running.ports[1]);
  }
  await using running = await startNginx(server.port);
  await tryAddresses(
    await attempts(nginx, step),
    target,
    1,
    running.ports[0],
  );
}
