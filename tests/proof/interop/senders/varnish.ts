/** varnish: both versions to its backends, without TLVs. */

import { HAS_IPV6 } from "../../../conn/_loopback.ts";
import { dial, dialUnix, throughHttpSender } from "../_client.ts";
import type { Driver } from "../_driver.ts";
import { start } from "../_system.ts";
import { Upstream } from "../_upstream.ts";

export const varnish: Driver = {
  system: "varnish",
  direction: "sender",
  programs: ["varnishd", "gcc"],
  version: ["varnishd", "-V"],
  isInEveryRun: false,
  async run(attempt) {
    using upstream = new Upstream();
    await using running = await start(
      1,
      async ({ directory, ports: [port = 0] }) => {
        const backend = (version: number) =>
          `backend v${version} { .host = "127.0.0.1"; .port = "${upstream.port}"; .proxy_header = ${version}; }`;
        const file = `${directory}/backends.vcl`;
        await Deno.writeTextFile(
          file,
          `
vcl 4.1;
${backend(1)}
${backend(2)}
sub vcl_recv {
  if (req.url ~ "^/v1") { set req.backend_hint = v1; } else { set req.backend_hint = v2; }
  return (pass);
}
`,
        );
        const addresses = [`127.0.0.1:${port}`, `${directory}/client`].concat(
          HAS_IPV6 ? [`[::1]:${port}`] : [],
        );
        return {
          program: "varnishd",
          args: [
            ...["-F", "-n", `${directory}/work`, "-f", file],
            ...addresses.flatMap((address) => ["-a", address]),
            ...["-s", "malloc,8m", "-j", "none"],
          ],
          ready: [port],
        };
      },
    );
    const { directory, ports: [port = 0] } = running;
    for (const version of [1, 2]) {
      const path = `/v${version}`;
      await attempt({
        input: `v${version} TCP4`,
        expected: `v${version} INET STREAM, client -> dialled`,
        see: () => throughHttpSender(upstream, dial(port), path),
      });
      await attempt({
        input: `v${version} for a UNIX client`,
        expected: `v${version} INET STREAM, 0.0.0.0:0 -> 0.0.0.0:0`,
        see: () =>
          throughHttpSender(upstream, dialUnix(`${directory}/client`), path),
        note: "zeroes for a UNIX client, not LOCAL or UNKNOWN",
      });
      if (!HAS_IPV6) continue;
      await attempt({
        input: `v${version} TCP6`,
        expected: `v${version} INET6 STREAM, client -> dialled`,
        see: () => throughHttpSender(upstream, dial(port, "::1"), path),
      });
    }
  },
};
