/** stunnel: version 1 behind TLS. */

import { HAS_IPV6 } from "../../../conn/_loopback.ts";
import { dialTls, throughSender } from "../_client.ts";
import type { Driver } from "../_driver.ts";
import { start } from "../_system.ts";
import { Upstream } from "../_upstream.ts";

export const stunnel: Driver = {
  system: "stunnel",
  direction: "sender",
  programs: ["stunnel4"],
  version: ["stunnel4", "-version"],
  isInEveryRun: true,
  async run(attempt) {
    using upstream = new Upstream();
    await using running = await start(
      1,
      async ({ directory, ports: [port = 0], cert }) => {
        const service = (hostname: string) => `
[${hostname}]
accept = ${hostname}:${port}
connect = 127.0.0.1:${upstream.port}
cert = ${cert}
protocol = proxy
`;
        const file = `${directory}/stunnel.conf`;
        await Deno.writeTextFile(
          file,
          `
foreground = yes
pid =
syslog = no
debug = 4
${service("127.0.0.1")}
${HAS_IPV6 ? service("::1") : ""}`,
        );
        return { program: "stunnel4", args: [file], ready: [port] };
      },
    );
    const [port = 0] = running.ports;
    await attempt({
      input: "v1 TCP4",
      expected: "v1 INET STREAM, client -> dialled",
      see: () => throughSender(upstream, dialTls(port)),
    });
    if (!HAS_IPV6) return;
    await attempt({
      input: "v1 TCP6",
      expected: "v1 INET6 STREAM, client -> dialled",
      see: () => throughSender(upstream, dialTls(port, "::1")),
    });
  },
};
