/** @module */

import { asking } from "./_client.ts";
import { atMost, NO_CHECKSUM, NO_PIECES, REAL_UDP } from "./_differences.ts";
import { NGINX, nginxPlan } from "./_nginx.ts";
import type { Receiver } from "./_receiver.ts";
import { startPlan } from "./_start.ts";

const MODULE = "/usr/lib/nginx/modules/ngx_stream_module.so";

const servers = (port: number) => `
stream {
  server {
    listen 127.0.0.1:${port} proxy_protocol;
    set_real_ip_from 127.0.0.1;
    return "src=$remote_addr sport=$remote_port dst=$proxy_protocol_server_addr dport=$proxy_protocol_server_port\\n";
  }
}
`;

/** nginx for any TCP, with its real-IP module: what it sends back. */
export const receiver: Receiver = {
  ...NGINX,
  name: "nginx stream",
  packages: ["nginx-light", "libnginx-mod-stream"],
  programs: ["nginx", MODULE],
  tells: ["src", "sport", "dst", "dport"],
  differs: {
    ...NO_PIECES,
    ...NO_CHECKSUM,
    ...REAL_UDP,
    ...atMost(107),
  },
  start: () =>
    startPlan({
      ...nginxPlan(servers, `load_module ${MODULE};`),
      ask: asking(""), // It answers without a request.
    }),
};
