/**
 * Real parts in a row: curl, nginx (v1), haproxy (ends TLS, adds TLVs), a
 * relay, a server of HTTP on node by our adapter.
 */

import {
  decode,
  proxied,
  type ProxiedConn,
  relay,
  serve,
} from "../../../../mod.ts";
import { TRUST } from "../../../conn/_loopback.ts";
import { runClient } from "../_client.ts";
import type { Driver } from "../_driver.ts";
import { startHaproxy } from "../_haproxy.ts";
import { startNginx } from "../_nginx.ts";
import { startNode } from "../../../on/_servers.ts";
import type { Running } from "../_system.ts";
import { describeHeader } from "../_upstream.ts";

/** What the end of the chain tells. */
interface Told {
  remoteAddress: string;
  remotePort: number;
  /** The header that it got, in base64. */
  header: string;
}

const OPTIONS = "ssl,ssl-cipher,authority,crc32c,unique-id";

/** Ends TLS behind a v1 header, and says all that it knows. */
function startTls(upstream: number): Promise<Running> {
  return startHaproxy(({ port, cert }) => `
listen tls
  bind 127.0.0.1:${port} accept-proxy ssl crt ${cert} alpn http/1.1
  unique-id-format id-%ci:%cp
  server upstream 127.0.0.1:${upstream} send-proxy-v2 proxy-v2-options ${OPTIONS}
`);
}

/** haproxy where otherwise our relay is, with all that it can pass on. */
function startOtherRelay(upstream: number): Promise<Running> {
  return startHaproxy(({ port }) => `
listen relay
  bind 127.0.0.1:${port} accept-proxy
  unique-id-format %[fc_pp_unique_id]
  server upstream 127.0.0.1:${upstream} send-proxy-v2 proxy-v2-options ${OPTIONS}
`);
}

/** Our relay. */
function startRelay(upstream: number): { port: number } & AsyncDisposable {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const server = serve(
    proxied(listener, { trust: TRUST }),
    async (conn: ProxiedConn) => {
      const dialling = () =>
        Deno.connect({ hostname: "127.0.0.1", port: upstream });
      await relay(conn, dialling, { send: 2 });
    },
  );
  return {
    port: listener.addr.port,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

function startFirst(upstream: number): Promise<Running> {
  return startNginx(({ ports: [port] }) => `
  server {
    listen 127.0.0.1:${port};
    proxy_pass 127.0.0.1:${upstream};
    proxy_protocol on;
  }
`);
}

/** What the last says of the first. */
async function ask(relayPort: number): Promise<string> {
  await using tls = await startTls(relayPort);
  await using first = await startFirst(tls.ports[0] ?? 0);
  const port = first.ports[0] ?? 0;
  const output = await runClient("curl", [
    ...["--silent", "--show-error", "--http1.1", "--insecure"],
    ...["--max-time", "5", "--write-out", "\n%{local_port}"],
    ...["--resolve", `sni.example:${port}:127.0.0.1`],
    `https://sni.example:${port}/`,
  ]);
  const [answer = "", localPort] = output.split("\n");
  const told: Told = JSON.parse(answer);
  const hostname = "127.0.0.1";
  const client = {
    transport: "tcp",
    hostname,
    port: Number(localPort),
  } as const;
  const isClient = told.remoteAddress === client.hostname &&
    told.remotePort === client.port;
  const info = decode(Uint8Array.fromBase64(told.header));
  if (!isClient || info === undefined) return answer;
  const dialled = { transport: "tcp", hostname, port } as const;
  return describeHeader(info, { client, dialled });
}

const VERSION_OF_LAST = ["haproxy", "-v"] as const;

export const chain: Driver = {
  system: "curl, nginx, haproxy",
  direction: "sender",
  programs: ["curl", "nginx", "haproxy"],
  version: VERSION_OF_LAST,
  isInEveryRun: true,
  async run(attempt) {
    await using last = await startNode(
      new URL("_chain_server.ts", import.meta.url).pathname,
    );
    await attempt({
      input: "a chain with TLS",
      target: "our relay, and our server on node 24",
      expected:
        "v2 INET STREAM, client -> dialled, CRC32C ALPN=http/1.1 AUTHORITY=sni.example UNIQUE_ID=id-client SSL=true SSL_CLIENT=1 SSL_VERIFY=0 SSL_VERSION=TLSv1.3 SSL_CIPHER=TLS_AES_256_GCM_SHA384",
      see: async () => {
        await using relay = startRelay(last.port);
        return await ask(relay.port);
      },
    });
    await attempt({
      input: "a chain with TLS",
      target: "haproxy's relay, and our server on node 24",
      expected:
        "v2 INET STREAM, client -> dialled, CRC32C AUTHORITY=sni.example UNIQUE_ID=id-client SSL=true SSL_CLIENT=0 SSL_VERIFY=0",
      see: async () => {
        await using relay = await startOtherRelay(last.port);
        return await ask(relay.ports[0] ?? 0);
      },
      note: "does not forward ALPN and SSL (haproxy 2.6)",
    });
  },
};
