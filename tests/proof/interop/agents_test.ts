/**
 * Requests by HeaderAgent, HttpsHeaderAgent and connectorFor() to a real nginx and
 * a real haproxy, which say what client they were named: by http-proxy, httpxy,
 * undici, node:http and node:http2, on each runtime.
 */

import { HTTP_PROXY, HTTPXY, UNDICI } from "../../_versions.ts";
import { CERT } from "../../conn/_loopback.ts";
import { runApp } from "../../on/node/_npm_apps.ts";
import { startHaproxy } from "./_haproxy.ts";
import { startNginxHttp } from "./_nginx.ts";
import { isMissing } from "./_system.ts";

/** haproxy says what TLV it has received besides. */
const haproxyServer = (
  { ports: [plain, tls], cert }: { ports: readonly number[]; cert: string },
) => `
frontend named
  mode http
  bind 127.0.0.1:${plain} accept-proxy
  bind 127.0.0.1:${tls} accept-proxy ssl crt ${cert} alpn h2,http/1.1
  http-request return status 200 content-type text/plain lf-string "named %[src]:%[src_port] %[dst]:%[dst_port] %[fc_pp_authority]\\n"
`;

/** nginx of before 1.23.2 has no TLVs. */
const nginxServer = (
  { ports: [plain, tls], certFile, keyFile }: {
    ports: readonly number[];
    certFile: string;
    keyFile: string;
  },
) => `
server {
  listen 127.0.0.1:${plain} proxy_protocol;
  listen 127.0.0.1:${tls} ssl http2 proxy_protocol;
  ssl_certificate ${certFile};
  ssl_certificate_key ${keyFile};
  default_type text/plain;
  location / {
    return 200 "named $proxy_protocol_addr:$proxy_protocol_port $proxy_protocol_server_addr:$proxy_protocol_server_port\\n";
  }
}
`;

const CLIENTS = ["192.0.2.44", "192.0.2.45"];

/** What a server says of a client. */
function named(server: string, client: string): string {
  const ends = `named ${client}:1025 198.51.100.9:80`;
  return server.startsWith("nginx")
    ? ends
    : `${ends} ${client.replaceAll(".", "-")}.example`;
}

Deno.test({
  name:
    "agents name each client to nginx and haproxy, the obvious agent does not",
  ignore: isMissing("nginx", "haproxy"),
  async fn(t) {
    await using nginx = await startNginxHttp(nginxServer, 2);
    await using haproxy = await startHaproxy(haproxyServer, 2);
    const servers: Record<string, string> = {
      "nginx": `http://127.0.0.1:${nginx.ports[0]}/`,
      "nginx in TLS": `https://127.0.0.1:${nginx.ports[1]}/`,
      "haproxy": `http://127.0.0.1:${haproxy.ports[0]}/`,
      "haproxy in TLS": `https://127.0.0.1:${haproxy.ports[1]}/`,
    };
    await runApp(t, {
      file: "_senders.js",
      packages: [HTTP_PROXY, HTTPXY, UNDICI],
      env: { SENDERS: JSON.stringify({ servers, ca: CERT }) },
      expected: (runtime) => {
        const proxies = ["node:http", "http-proxy", "httpxy"];
        if (runtime !== "Bun") proxies.push("undici");
        const right = Object.keys(servers).flatMap((server) =>
          [
            ...proxies,
            ...(server.endsWith("in TLS") ? ["node:http2"] : []),
          ].map((proxy) => {
            const both = CLIENTS.map((client) => named(server, client));
            return `${proxy} to ${server}: ${both.join("; ")}`;
          })
        );
        const [anna = ""] = CLIENTS;
        const wrong = named("nginx", anna); // both times
        return [...right, `one agent for all: ${wrong}; ${wrong}`, ""]
          .join("\n");
      },
    });
  },
});
