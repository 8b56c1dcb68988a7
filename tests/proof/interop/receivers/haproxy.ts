/** @module */

import { NO_PIECES, NO_UDP, NO_UNIX, NO_UNSPEC } from "./_differences.ts";
import { versionOf } from "./_programs.ts";
import type { Receiver } from "./_receiver.ts";
import { startPlan, write } from "./_start.ts";

const configuration = (port: number) => `
global
  maxconn 100
  noreuseport
defaults
  timeout client 60s
frontend receiver
  mode http
  bind 127.0.0.1:${port} accept-proxy
  http-request return status 200 content-type text/plain lf-string "src=%[src] sport=%[src_port] dst=%[dst] dport=%[dst_port] authority=%[fc_pp_authority] unique_id=%[fc_pp_unique_id]\\n"
`;

/** haproxy, `accept-proxy`: the body of its answer. */
export const receiver: Receiver = {
  name: "haproxy",
  isCheap: true,
  needsRoot: false,
  packages: ["haproxy"],
  programs: ["haproxy"],
  tells: ["src", "sport", "dst", "dport", "authority", "unique_id"],
  differs: { ...NO_PIECES, ...NO_UDP, ...NO_UNSPEC, ...NO_UNIX },
  version: () => versionOf("haproxy", "-v"),
  start: () =>
    startPlan({
      async configure({ directory, port }) {
        const file = `${directory}/haproxy.cfg`;
        await write(file, configuration(port));
        return { program: "haproxy", args: ["-db", "-q", "-f", file] };
      },
    }),
};
