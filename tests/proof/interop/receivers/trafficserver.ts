/** @module */

import {
  atMost,
  NO_CHECKSUM,
  NO_PIECES,
  NO_UDP,
  NO_UNKNOWN,
  NO_UNSPEC,
} from "./_differences.ts";
import { giveTo, run, versionOf } from "./_programs.ts";
import type { Receiver } from "./_receiver.ts";
import { write } from "./_start.ts";
import { startBefore } from "./_upstream.ts";
import { runroot } from "../_trafficserver.ts";

const records = (port: number) => `
CONFIG proxy.config.http.server_ports STRING ${port}:pp:ip-in=127.0.0.1
CONFIG proxy.config.http.proxy_protocol_allowlist STRING 127.0.0.1
CONFIG proxy.config.http.insert_client_ip INT 1
CONFIG proxy.config.http.server_session_sharing.match STRING none
CONFIG proxy.config.admin.user_id STRING trafficserver
CONFIG proxy.config.http.cache.http INT 0
CONFIG proxy.config.url_remap.remap_required INT 1
CONFIG proxy.config.crash_log_helper STRING NULL
CONFIG proxy.config.dns.nameservers STRING 127.0.0.1
`;

/** Apache Traffic Server before a server: Client-ip. */
export const receiver: Receiver = {
  name: "trafficserver",
  isCheap: false,
  needsRoot: false,
  packages: ["trafficserver"],
  programs: ["traffic_server"],
  tells: ["src"],
  differs: {
    ...NO_PIECES,
    ...NO_CHECKSUM,
    ...NO_UDP,
    ...NO_UNKNOWN,
    ...NO_UNSPEC,
    "v2 LOCAL": { outcome: "refused", note: "rejects LOCAL" },
    ...atMost(109),
  },
  version: () => versionOf("traffic_server", "--version"),
  start: () =>
    startBefore("Client-ip", (upstream) => ({
      async configure({ directory, port }) {
        const etc = `${directory}/etc`;
        await run("cp", ["-r", "/etc/trafficserver", etc]);
        await write(`${etc}/records.config`, records(port));
        await write(
          `${etc}/remap.config`,
          `map / http://127.0.0.1:${upstream}/\n`,
        );
        await write(`${etc}/storage.config`, "");
        await write(`${directory}/runroot.yaml`, runroot(directory));
        for (const name of ["run", "log", "cache", "var"]) {
          await Deno.mkdir(`${directory}/${name}`);
        }
        await giveTo("trafficserver", directory);
        return {
          program: "traffic_server",
          args: [`--run-root=${directory}`],
        };
      },
    })),
};
