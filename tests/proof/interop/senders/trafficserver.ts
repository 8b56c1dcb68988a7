/** Traffic Server: both versions, with source and destination the wrong way. */

import { HAS_IPV6 } from "../../../conn/_loopback.ts";
import { dial, runClient, throughHttpSender } from "../_client.ts";
import type { Driver } from "../_driver.ts";
import { type Running, start } from "../_system.ts";
import { Upstream } from "../_upstream.ts";
import { runroot } from "../_trafficserver.ts";

const USER = "trafficserver";

/** Where a server is to find its files, and which they are. */
function filesOf(
  directory: string,
  version: number,
  port: number,
  upstreamPort: number,
): Record<string, string> {
  const ipv6 = HAS_IPV6 ? `${port}:ipv6:ip-in=[::1]` : "";
  return {
    "runroot.yaml": runroot(directory),
    "etc/records.config": `
CONFIG proxy.config.http.server_ports STRING ${port}:ip-in=127.0.0.1 ${ipv6}
CONFIG proxy.config.http.proxy_protocol_out INT ${version}
CONFIG proxy.config.http.server_session_sharing.match STRING none
CONFIG proxy.config.admin.user_id STRING ${USER}
CONFIG proxy.config.crash_log_helper STRING NULL
CONFIG proxy.config.http.cache.http INT 0
CONFIG proxy.config.url_remap.remap_required INT 1
CONFIG proxy.config.dns.nameservers STRING 127.0.0.1
`,
    "etc/remap.config": `map / http://127.0.0.1:${upstreamPort}/\n`,
    "etc/storage.config": "",
    "etc/ip_allow.yaml": `
ip_allow:
  - { apply: in, ip_addrs: [127.0.0.1, "::1"], action: allow, methods: ALL }
`,
  };
}

function startServer(version: number, upstream: Upstream): Promise<Running> {
  return start(1, async ({ directory, ports: [port = 0] }) => {
    for (const name of ["etc", "run", "log", "cache", "var"]) {
      await Deno.mkdir(`${directory}/${name}`);
    }
    const files = filesOf(directory, version, port, upstream.port);
    for (const [name, text] of Object.entries(files)) {
      await Deno.writeTextFile(`${directory}/${name}`, text);
    }
    // As root it becomes that user.
    if (Deno.uid() === 0) await runClient("chown", ["-R", USER, directory]);
    return {
      program: "traffic_server",
      args: [`--run-root=${directory}/runroot.yaml`],
      cwd: directory,
      ready: [port],
    };
  });
}

export const trafficserver: Driver = {
  system: "trafficserver",
  direction: "sender",
  programs: ["traffic_server"],
  version: ["traffic_server", "-V"],
  isInEveryRun: false,
  async run(attempt) {
    for (const version of [1, 2]) {
      using upstream = new Upstream();
      await using server = await startServer(version, upstream);
      const [port = 0] = server.ports;
      const note = "source and destination are swapped";
      await attempt({
        input: `v${version} TCP4`,
        expected: `v${version} INET STREAM, dialled -> client`,
        see: () => throughHttpSender(upstream, dial(port)),
        note,
      });
      if (!HAS_IPV6) continue;
      await attempt({
        input: `v${version} TCP6`,
        expected: `v${version} INET6 STREAM, dialled -> client`,
        see: () => throughHttpSender(upstream, dial(port, "::1")),
        note,
      });
    }
  },
};
