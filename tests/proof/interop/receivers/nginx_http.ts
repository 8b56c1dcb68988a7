/** @module */

import { NO_CHECKSUM, NO_PIECES, REAL_UDP, REAL_UNIX } from "./_differences.ts";
import { NGINX, nginxPlan } from "./_nginx.ts";
import type { Receiver } from "./_receiver.ts";
import { startPlan } from "./_start.ts";

const servers = (port: number, directory: string) => `
http {
  access_log off;
  client_body_temp_path ${directory}/b;
  proxy_temp_path ${directory}/p;
  fastcgi_temp_path ${directory}/f;
  scgi_temp_path ${directory}/s;
  uwsgi_temp_path ${directory}/u;
  server {
    listen 127.0.0.1:${port} proxy_protocol;
    set_real_ip_from 127.0.0.1;
    real_ip_header proxy_protocol;
    location / {
      default_type text/plain;
      return 200 "src=$remote_addr sport=$remote_port dst=$proxy_protocol_server_addr dport=$proxy_protocol_server_port\\n";
    }
  }
}
`;

/** nginx for HTTP, with its real-IP module: the body of its answer. */
export const receiver: Receiver = {
  ...NGINX,
  name: "nginx http",
  packages: ["nginx-light"],
  programs: ["nginx"],
  tells: ["src", "sport", "dst", "dport"],
  differs: { ...NO_PIECES, ...NO_CHECKSUM, ...REAL_UDP, ...REAL_UNIX },
  start: () => startPlan(nginxPlan(servers)),
};
