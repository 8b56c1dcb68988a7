/** haproxy: every TLV that it has, checks and clients without an address. */

import { accept } from "../../../../mod.ts";
import { utf8 } from "../../../_bytes.ts";
import { HAS_IPV6, send, TRUST } from "../../../conn/_loopback.ts";
import {
  dial,
  dialTls,
  dialTlsWithCertificate,
  dialUnix,
  throughSender,
} from "../_client.ts";
import type { Driver } from "../_driver.ts";
import { type Haproxy, startHaproxy } from "../_haproxy.ts";
import { describe, Upstream } from "../_upstream.ts";

const TLS =
  "ssl,cert-cn,ssl-cipher,cert-sig,cert-key,authority,crc32c,unique-id";

const SERVER_KEY = "SSL_KEY_ALG=RSA2048 SSL_SIG_ALG=RSA-SHA256";
const CIPHER = "SSL_CIPHER=TLS_AES_256_GCM_SHA384";

/** Starts a sender of v1, v2 and of v2 with TLS facts, in the order of its ports. */
export function startSender(upstream: number): Promise<Haproxy> {
  const server = `server upstream 127.0.0.1:${upstream}`;
  const bind = (port = 0) => `
  bind 127.0.0.1:${port}
  ${HAS_IPV6 ? `bind [::1]:${port}` : ""}`;
  return startHaproxy(
    ({ directory, ports: [v1, v2, tls], cert, certFile }) => `
listen v1
  ${bind(v1)}
  bind ${directory}/v1
  ${server} send-proxy
listen v2
  ${bind(v2)}
  bind ${directory}/v2
  ${server} send-proxy-v2 proxy-v2-options crc32c
listen tls
  bind 127.0.0.1:${tls} ssl crt ${cert} ca-file ${certFile} verify optional alpn h2,http/1.1
  unique-id-format id-%ci:%cp
  ${server} send-proxy-v2 proxy-v2-options ${TLS}
`,
    3,
  );
}

/** A health check that expects an answer, so that it is not reset at once. */
async function check(options: string): Promise<string> {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  await using _haproxy = await startHaproxy(() => `
backend checks
  option tcp-check
  tcp-check expect string hello
  server upstream 127.0.0.1:${listener.addr.port} check inter 50ms ${options}
`);
  using tcp = await listener.accept();
  const accepted = await accept(tcp, { trust: TRUST });
  await send(accepted.conn, utf8("hello"));
  // The check is the client of itself.
  return describe(accepted, {
    client: { ...tcp.remoteAddr },
    dialled: { ...tcp.localAddr },
  });
}

export const haproxy: Driver = {
  system: "haproxy",
  direction: "sender",
  programs: ["haproxy"],
  version: ["haproxy", "-v"],
  isInEveryRun: true,
  async run(attempt) {
    using upstream = new Upstream();
    await using running = await startSender(upstream.port);
    const { directory, ports: [v1 = 0, v2 = 0, tls = 0] } = running;
    await attempt({
      input: "v1 TCP4",
      expected: "v1 INET STREAM, client -> dialled",
      see: () => throughSender(upstream, dial(v1)),
    });
    await attempt({
      input: "v2 TCP4 with a checksum",
      expected: "v2 INET STREAM, client -> dialled, CRC32C",
      see: () => throughSender(upstream, dial(v2)),
    });
    if (HAS_IPV6) {
      await attempt({
        input: "v1 TCP6",
        expected: "v1 INET6 STREAM, client -> dialled",
        see: () => throughSender(upstream, dial(v1, "::1")),
      });
      await attempt({
        input: "v2 TCP6 with a checksum",
        expected: "v2 INET6 STREAM, client -> dialled, CRC32C",
        see: () => throughSender(upstream, dial(v2, "::1")),
      });
    }
    await attempt({
      input: "v1 for a UNIX client",
      expected: "v1 UNKNOWN, shows the hop",
      see: () => throughSender(upstream, dialUnix(`${directory}/v1`)),
    });
    await attempt({
      input: "v2 for a UNIX client, with a checksum",
      expected: "v2 LOCAL, shows the hop, CRC32C",
      see: () => throughSender(upstream, dialUnix(`${directory}/v2`)),
      note: "LOCAL for a UNIX client",
    });
    await attempt({
      input: "v2 with TLS facts",
      expected:
        `v2 INET STREAM, client -> dialled, CRC32C ALPN=h2 AUTHORITY=sni.example UNIQUE_ID=id-client SSL=true SSL_CLIENT=1 SSL_VERIFY=0 SSL_VERSION=TLSv1.3 ${SERVER_KEY} ${CIPHER}`,
      see: () => throughSender(upstream, dialTls(tls)),
      note: "verify 0 without a client certificate",
    });
    await attempt({
      input: "v2 with the facts of a client's certificate",
      expected:
        `v2 INET STREAM, client -> dialled, CRC32C UNIQUE_ID=id-client SSL=true SSL_CLIENT=7 SSL_VERIFY=0 SSL_VERSION=TLSv1.3 SSL_CN=sni.example ${SERVER_KEY} ${CIPHER}`,
      see: () => throughSender(upstream, dialTlsWithCertificate(tls)),
    });
    await attempt({
      input: "v1 checks",
      expected: "v1 INET STREAM, client -> dialled",
      see: () => check("send-proxy"),
      note: "health checks by v1 name their own addresses",
    });
    await attempt({
      input: "v2 checks",
      expected: "v2 LOCAL, shows the hop",
      see: () => check("send-proxy-v2"),
    });
    await attempt({
      input: "v2 checks with a checksum",
      expected: "v2 LOCAL, shows the hop, CRC32C",
      see: () => check("send-proxy-v2 proxy-v2-options crc32c"),
    });
  },
};
