/**
 * The command line behind a real haproxy: what it shows of TLS, and that the
 * end of a chain cannot tell it from a relay of our own.
 */

import { assertEquals, assertMatch } from "@std/assert";
import { within } from "../_within.ts";
import {
  type Dialled,
  dialTls,
  dialTlsWithCertificate,
  throughSender,
} from "../proof/interop/_client.ts";
import { startHaproxy } from "../proof/interop/_haproxy.ts";
import { isMissing } from "../proof/interop/_system.ts";
import { Upstream } from "../proof/interop/_upstream.ts";
import { startSender } from "../proof/interop/senders/haproxy.ts";
import { type On, start, type Started, test } from "./_cli.ts";

const ignore = isMissing("haproxy");

/** What haproxy sends of a client that names `sni.example` and `h2`. */
const TLS_FACTS =
  / CRC32C=right ALPN="h2" AUTHORITY="sni\.example" UNIQUE_ID="id-127\.0\.0\.1:\d+" SSL_CLIENT=1 SSL_VERIFY=0 SSL_VERSION="TLSv1\.3" .*SSL_CIPHER="TLS_AES_256_GCM_SHA384" client=unverified$/;

/** What it sends of one with a certificate. */
const CERTIFICATE_FACTS =
  / CRC32C=right UNIQUE_ID="id-127\.0\.0\.1:\d+" SSL_CLIENT=7 SSL_VERIFY=0 SSL_VERSION="TLSv1\.3" SSL_CN="sni\.example" .* client=verified$/;

async function listening(
  on: On,
  ...args: string[]
): Promise<[Started, number]> {
  const cli = start(on, ["--allow-net"], ["listen", "127.0.0.1:0", ...args]);
  const [, port] = await cli.err(/Listening on 127\.0\.0\.1:(\d+)\n/);
  return [cli, Number(port)];
}

/** Dials, and waits until haproxy has been closed by its server. */
async function dialOnce(dialling: Promise<Dialled>): Promise<string> {
  const { conn, ends } = await dialling;
  using _ = conn;
  await within(conn.read(new Uint8Array(1)), "the end").catch(() => {});
  if (ends.client.transport !== "tcp") throw new Error("Not TCP");
  return `${ends.client.hostname}:${ends.client.port}`;
}

test("listen shows what haproxy says of TLS and of its checks", async (on) => {
  const [cli, port] = await listening(on);
  await using _ = cli;
  await using haproxy = await startSender(port);
  const tls = haproxy.ports[2] ?? 0;
  const client = await dialOnce(dialTls(tls));
  const named = await dialOnce(dialTlsWithCertificate(tls));
  await cli.out(/client=verified\n/);
  cli.kill("SIGTERM");
  const lines = (await cli.ended()).out.trimEnd().split("\n");
  const lineOf = (source: string) =>
    lines.find((line) => line.includes(` ${source} -> `)) ?? "";
  assertMatch(lineOf(client), TLS_FACTS);
  assertMatch(lineOf(named), CERTIFICATE_FACTS);
}, ignore);

test("listen shows haproxy's checks, with a header and without", async (on) => {
  const [cli, port] = await listening(on);
  await using _ = cli;
  await using _haproxy = await startHaproxy(() => `
backend checks
  server plain 127.0.0.1:${port} check inter 50ms
  server local 127.0.0.1:${port} check inter 50ms check-send-proxy send-proxy-v2
`);
  await cli.out(/ empty: closed without a byte, as health checks do\n/);
  await cli.out(/ v2 LOCAL\n/);
}, ignore);

/** Ends TLS, relays by the command line or not, and tells what arrives. */
async function seenThrough(
  relay: (upstream: number) => Promise<Started & { port: number }>,
): Promise<string> {
  using upstream = new Upstream();
  await using between = await relay(upstream.port);
  await using haproxy = await startSender(between.port);
  return await throughSender(upstream, dialTls(haproxy.ports[2] ?? 0));
}

test(
  "relay stands where haproxy would, and the far end sees no difference",
  async (on) => {
    using upstream = new Upstream();
    await using haproxy = await startSender(upstream.port);
    const direct = await throughSender(
      upstream,
      dialTls(haproxy.ports[2] ?? 0),
    );
    const relayed = await seenThrough(async (target) => {
      const cli = start(on, ["--allow-net"], [
        ...["relay", "--map", `127.0.0.1:0=127.0.0.1:${target}`],
        ...["--trust", "127.0.0.1", "--send", "v2"],
      ]);
      const [, port] = await cli.err(/Relaying 127\.0\.0\.1:(\d+) /);
      return { ...cli, port: Number(port) };
    });
    assertEquals(relayed, direct);
    assertMatch(
      relayed,
      /^v2 INET STREAM, client -> dialled, CRC32C ALPN=h2 AUTHORITY=sni\.example UNIQUE_ID=id-client SSL=true SSL_CLIENT=1 SSL_VERIFY=0 SSL_VERSION=TLSv1\.3 /,
    );
  },
  ignore,
);
