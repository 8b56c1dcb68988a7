/**
 * hitch: both versions behind TLS, a TLV with a client's certificate, and
 * headers of ours that it passes on.
 */

import { encode, type ProxyHeader } from "../../../../mod.ts";
import { HAS_IPV6 } from "../../../conn/_loopback.ts";
import { dialTls, dialTlsWithCertificate, throughSender } from "../_client.ts";
import type { Driver } from "../_driver.ts";
import { type Running, start } from "../_system.ts";
import { Upstream } from "../_upstream.ts";

function startHitch(upstream: Upstream, options: string): Promise<Running> {
  return start(1, async ({ directory, ports: [port = 0], cert, certFile }) => {
    const frontend = (hostname: string) =>
      `frontend = { host = "${hostname}" port = "${port}" }`;
    const file = `${directory}/hitch.conf`;
    await Deno.writeTextFile(
      file,
      `
${frontend("127.0.0.1")}
${HAS_IPV6 ? frontend("::1") : ""}
backend = "[127.0.0.1]:${upstream.port}"
pem-file = "${cert}"
alpn-protos = "h2,http/1.1"
workers = 1
daemon = off
${Deno.uid() === 0 ? 'user = "root"' : ""}
log-level = 1
client-verify = optional
client-verify-ca = "${certFile}"
${options}
`,
    );
    return { program: "hitch", args: [`--config=${file}`], ready: [port] };
  });
}

/** Somebody before hitch. */
const HEADER: ProxyHeader = {
  source: { transport: "tcp", hostname: "192.0.2.1", port: 56324 },
  destination: { transport: "tcp", hostname: "198.51.100.1", port: 443 },
};

export const hitch: Driver = {
  system: "hitch",
  direction: "sender",
  programs: ["hitch"],
  version: ["hitch", "--version"],
  isInEveryRun: true,
  async run(attempt) {
    using upstream = new Upstream();
    await using v1 = await startHitch(upstream, "write-proxy-v1 = on");
    await using v2 = await startHitch(
      upstream,
      "write-proxy-v2 = on\nproxy-tlv = on\nproxy-client-cert = on",
    );
    await using copy = await startHitch(upstream, "proxy-proxy = on");
    const [port1 = 0] = v1.ports;
    const [port2 = 0] = v2.ports;
    const [portOfCopy = 0] = copy.ports;
    const throughCopy = (header: Uint8Array) =>
      throughSender(upstream, dialTls(portOfCopy, "127.0.0.1", header));
    const facts = (client: number, verify: number) =>
      `SSL=true SSL_CLIENT=${client} SSL_VERIFY=${verify} SSL_VERSION=TLSv1.3 SSL_CIPHER=TLS_AES_256_GCM_SHA384`;
    await attempt({
      input: "v1 TCP4",
      expected: "v1 INET STREAM, client -> dialled",
      see: () => throughSender(upstream, dialTls(port1)),
    });
    await attempt({
      input: "v2 TCP4 with TLS facts",
      expected:
        `v2 INET STREAM, client -> dialled, ALPN=h2 AUTHORITY=sni.example ${
          facts(1, 1)
        }`,
      see: () => throughSender(upstream, dialTls(port2)),
      note: "verify 1 without a client certificate",
    });
    await attempt({
      input: "v2 with a client's certificate",
      expected:
        `v2 INET STREAM, client -> dialled, xE0=the client's certificate ${
          facts(7, 0)
        }`,
      see: () => throughSender(upstream, dialTlsWithCertificate(port2)),
    });
    await attempt({
      input: "v1 TCP4 of ours, passed on",
      expected: "v1 INET STREAM, 192.0.2.1:56324 -> 198.51.100.1:443",
      see: () => throughCopy(encode({ version: 1, ...HEADER })),
    });
    await attempt({
      input: "v2 TCP4 of ours with TLVs, passed on",
      expected:
        "v2 INET STREAM, 192.0.2.1:56324 -> 198.51.100.1:443, CRC32C AUTHORITY=first.example",
      see: () =>
        throughCopy(encode(
          { ...HEADER, tlvs: { AUTHORITY: "first.example" } },
          { checksum: true },
        )),
      note: "`proxy-proxy` forwards the received header unchanged",
    });
    if (!HAS_IPV6) return;
    await attempt({
      input: "v1 TCP6",
      expected: "v1 INET6 STREAM, client -> dialled",
      see: () => throughSender(upstream, dialTls(port1, "::1")),
    });
    await attempt({
      input: "v2 TCP6 with TLS facts",
      expected:
        `v2 INET6 STREAM, client -> dialled, ALPN=h2 AUTHORITY=sni.example ${
          facts(1, 1)
        }`,
      see: () => throughSender(upstream, dialTls(port2, "::1")),
    });
  },
};
