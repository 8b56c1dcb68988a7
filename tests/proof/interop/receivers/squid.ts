/** @module */

import { NO_CHECKSUM } from "./_differences.ts";
import { giveTo, versionOf } from "./_programs.ts";
import type { Receiver } from "./_receiver.ts";
import { startPlan, write } from "./_start.ts";

/** Numbers are the types of the TLVs. */
const configuration = (directory: string, port: number) => `
http_port 127.0.0.1:${port} accel defaultsite=localhost require-proxy-header
acl local src 127.0.0.0/8
proxy_protocol_access allow local
http_access deny all
reply_header_add X-Client "src=%>a sport=%>p dst=%>la dport=%>lp alpn=%{1}proxy_protocol::>h authority=%{2}proxy_protocol::>h unique_id=%{5}proxy_protocol::>h" all
pid_filename none
cache deny all
pinger_enable off
access_log none
cache_log ${directory}/cache.log
coredump_dir ${directory}
shutdown_lifetime 0 seconds
visible_hostname localhost
`;

/** squid before a server: a field of its refusal to serve. */
export const receiver: Receiver = {
  name: "squid",
  isCheap: false,
  needsRoot: false,
  packages: ["squid"],
  programs: ["squid"],
  tells: ["src", "sport", "dst", "dport", "alpn", "authority", "unique_id"],
  differs: {
    ...NO_CHECKSUM,
    "v2 UNIX": { outcome: "src=[::]:0 dst=[::]:0", note: "has no addresses" },
  },
  version: () => versionOf("squid", "-v"),
  start: () =>
    startPlan({
      async configure({ directory, port }) {
        const file = `${directory}/squid.conf`;
        await write(file, configuration(directory, port));
        await giveTo("proxy", directory);
        return { program: "squid", args: ["-N", "-d1", "-f", file] };
      },
    }),
};
