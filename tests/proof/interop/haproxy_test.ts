/** Headers that a real haproxy writes for us, and reads from us. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { concat } from "@std/bytes";
import {
  accept,
  type Accepted,
  type AcceptOptions,
  crc32c,
  encode,
  type EncodeOptions,
  isClientVerified,
  type ProxyHeader,
} from "../../../mod.ts";
import { utf8 } from "../../_bytes.ts";
import {
  CERT,
  HAS_IPV6,
  receive,
  receiveAll,
  send,
  TRUST,
} from "../../conn/_loopback.ts";
import { type Haproxy, type Places, startHaproxy } from "./_haproxy.ts";
import { isMissing } from "./_system.ts";
import { INET, INET6 } from "./receivers/_inputs.ts";

const ignore = isMissing("haproxy");
const PAYLOAD = utf8("hello");

/** What haproxy sends its headers to. */
function listen(): Deno.TcpListener {
  return Deno.listen({ hostname: "127.0.0.1", port: 0 });
}

/** Accepts what haproxy dials, up to the payload. */
async function acceptNext(
  listener: Deno.TcpListener,
  opened: DisposableStack,
  options: Partial<AcceptOptions> = {},
): Promise<Accepted<Deno.TcpConn>> {
  const tcp = opened.use(await listener.accept());
  const accepted = await accept(tcp, { trust: TRUST, ...options });
  assertEquals(await receive(accepted.conn, PAYLOAD.length), PAYLOAD);
  return accepted;
}

/** A proxy that sends headers to a port. */
function sender(upstream: Deno.TcpListener, options: string) {
  return ({ port, directory }: Places) => `
listen sender
  bind 127.0.0.1:${port}
  ${HAS_IPV6 ? `bind [::1]:${port}` : ""}
  bind ${directory}/client
  server upstream 127.0.0.1:${upstream.addr.port} ${options}
`;
}

/** What a client of a sender shows, and what came of it. */
async function throughSender(
  options: string,
  connect: (haproxy: Haproxy) => Promise<Deno.Conn>,
): Promise<Accepted<Deno.TcpConn> & { client: Deno.Conn; port: number }> {
  using opened = new DisposableStack();
  const upstream = opened.use(listen());
  await using haproxy = await startHaproxy(sender(upstream, options));
  const client = opened.use(await connect(haproxy));
  await send(client, PAYLOAD);
  const accepted = await acceptNext(upstream, opened);
  // The answer finds its way back to the client.
  await send(accepted.conn, PAYLOAD);
  assertEquals(await receive(client, PAYLOAD.length), PAYLOAD);
  return { ...accepted, client, port: haproxy.port };
}

const overIpv4 = ({ port }: Haproxy): Promise<Deno.Conn> =>
  Deno.connect({ hostname: "127.0.0.1", port });
const overIpv6 = ({ port }: Haproxy): Promise<Deno.Conn> =>
  Deno.connect({ hostname: "::1", port });
const overUnix = ({ directory }: Haproxy): Promise<Deno.Conn> =>
  Deno.connect({ transport: "unix", path: `${directory}/client` });

for (
  const { version, options } of [
    { version: 1, options: "send-proxy" },
    { version: 2, options: "send-proxy-v2 proxy-v2-options crc32c" },
  ]
) {
  for (
    const { family, connect, isAbsent } of [
      { family: "INET", connect: overIpv4, isAbsent: false },
      { family: "INET6", connect: overIpv6, isAbsent: !HAS_IPV6 },
    ]
  ) {
    Deno.test({
      name:
        `accept() takes the v${version} header of haproxy for a client of ${family}`,
      ignore: ignore || isAbsent,
      async fn() {
        const { info, conn, client, port } = await throughSender(
          options,
          connect,
        );
        assertEquals(info?.version, version);
        assertEquals(info?.family, family);
        assertEquals<unknown>(conn.remoteAddr, { ...client.localAddr });
        assertEquals<unknown>(conn.localAddr, { ...client.remoteAddr });
        assert("port" in conn.localAddr && "hostname" in conn.hopAddr);
        assertEquals(conn.localAddr.port, port);
        assertEquals(conn.hopAddr.hostname, "127.0.0.1");
        assert(conn.hopAddr.port !== port);
        assertEquals(
          typeof info?.tlvs.CRC32C,
          version === 2 ? "number" : "undefined",
        );
      },
    });
  }

  Deno.test({
    name:
      `accept() shows the real ends for a UNIX client of haproxy and v${version}`,
    ignore,
    async fn() {
      const { info, conn } = await throughSender(options, overUnix);
      assertEquals(info?.command, version === 1 ? "PROXY" : "LOCAL");
      assertEquals(info?.family, "UNSPEC");
      assertEquals(conn.remoteAddr, conn.hopAddr);
      assertEquals(conn.raw.remoteAddr.hostname, "127.0.0.1");
    },
  });
}

Deno.test({
  name: "accept() unmaps the client of a dual-stack haproxy",
  ignore: ignore || !HAS_IPV6,
  async fn() {
    for (const unmap of [true, false]) {
      using opened = new DisposableStack();
      const upstream = opened.use(listen());
      await using haproxy = await startHaproxy(({ port }) => `
listen dual
  bind :::${port} v4v6
  server upstream 127.0.0.1:${upstream.addr.port} send-proxy-v2
`);
      const client = opened.use(
        await Deno.connect({ hostname: "127.0.0.1", port: haproxy.port }),
      );
      await send(client, PAYLOAD);
      const { conn } = await acceptNext(upstream, opened, { unmap });
      const { hostname, port } = client.localAddr;
      assertEquals<unknown>(conn.remoteAddr, {
        transport: "tcp",
        hostname: unmap ? hostname : `::ffff:${hostname}`,
        port,
      });
    }
  },
});

Deno.test({
  name: "accept() takes all that haproxy says of a client of TLS",
  ignore,
  async fn() {
    using opened = new DisposableStack();
    const upstream = opened.use(listen());
    await using haproxy = await startHaproxy(({ port, cert }) => `
listen tls
  bind 127.0.0.1:${port} ssl crt ${cert} alpn h2,http/1.1
  unique-id-format id-%ci-%cp
  server upstream 127.0.0.1:${upstream.addr.port} send-proxy-v2 proxy-v2-options ssl,cert-cn,ssl-cipher,cert-sig,cert-key,authority,crc32c,unique-id
`);
    // Deno.connectTls would look the name up to send it.
    const client = opened.use(await overIpv4(haproxy)) as Deno.TcpConn;
    const { localAddr } = client;
    const secure = opened.use(
      await Deno.startTls(client, {
        hostname: "sni.example",
        caCerts: [CERT],
        alpnProtocols: ["h2"],
      }),
    );
    await send(secure, PAYLOAD);
    const { info, conn } = await acceptNext(upstream, opened);
    assertEquals<unknown>(conn.remoteAddr, { ...localAddr });
    assert(info !== undefined);
    const { CRC32C, UNIQUE_ID, ...texts } = info.tlvs;
    assertEquals(texts, {
      ALPN: "h2",
      AUTHORITY: "sni.example",
      SSL: true,
      SSL_CLIENT: 0x01,
      SSL_VERIFY: 0,
      SSL_VERSION: "TLSv1.3",
      SSL_CIPHER: "TLS_AES_256_GCM_SHA384",
      SSL_SIG_ALG: "RSA-SHA256",
      SSL_KEY_ALG: "RSA2048",
    });
    assertEquals(
      new TextDecoder().decode(UNIQUE_ID),
      `id-127.0.0.1-${localAddr.port}`,
    );
    // Verified once more, by hand (specification, section 2.2.3).
    const { raw, tlv_start = NaN, tlv_loc } = info;
    const zeroed = raw.slice();
    const at = tlv_start + (tlv_loc.CRC32C ?? NaN) + 3;
    zeroed.fill(0, at, at + 4);
    assertEquals(CRC32C, crc32c(zeroed));
    // haproxy says 0, which means verified, of a client without a certificate.
    assertEquals(isClientVerified(info), false);
    await send(conn, PAYLOAD);
    assertEquals(await receive(secure, PAYLOAD.length), PAYLOAD);
  },
});

/**
 * A health check that expects an answer: one that does not is reset at once,
 * and Deno can then fail to accept it at all.
 */
async function throughCheck(
  options: string,
  check: (tcp: Deno.TcpConn) => Promise<void>,
): Promise<void> {
  using upstream = listen();
  await using _haproxy = await startHaproxy(() => `
backend checks
  option tcp-check
  tcp-check expect string hello
  server upstream 127.0.0.1:${upstream.addr.port} check inter 50ms ${options}
`);
  using tcp = await upstream.accept();
  await check(tcp);
  await send(tcp, PAYLOAD);
}

Deno.test({
  name: "accept() shows the real ends for a v2 health check of haproxy",
  ignore,
  async fn() {
    for (const option of ["", "proxy-v2-options crc32c"]) {
      await throughCheck(`send-proxy-v2 ${option}`, async (tcp) => {
        const real = { ...tcp.remoteAddr };
        const { info, conn } = await accept(tcp, { trust: TRUST });
        assertEquals(info?.command, "LOCAL");
        assertEquals(typeof info?.tlvs.CRC32C, option ? "number" : "undefined");
        assertEquals(conn.remoteAddr, real);
        assertEquals(conn.hopAddr, real);
      });
    }
  },
});

Deno.test({
  name: "accept() shows what a v1 health check of haproxy says: its own ends",
  ignore,
  async fn() {
    await throughCheck("send-proxy", async (tcp) => {
      const real = { ...tcp.remoteAddr };
      const { info, conn } = await accept(tcp, { trust: TRUST });
      assertEquals(info?.command, "PROXY");
      assertEquals(conn.remoteAddr, real);
      assertEquals<unknown>(conn.localAddr, { ...conn.raw.localAddr });
    });
  },
});

/** A receiver that repeats what a header said. */
function receiver({ port }: Places): string {
  return `
frontend receiver
  mode http
  bind 127.0.0.1:${port} accept-proxy
  http-request return status 200 content-type text/plain lf-string "src=%[src] sport=%[src_port] dst=%[dst] dport=%[dst_port] authority=%[fc_pp_authority] uid=%[fc_pp_unique_id]\\n"
`;
}

/** What haproxy answers to a request behind a header; nothing when it resets. */
async function ask(
  port: number,
  header: Uint8Array,
): Promise<{ answer: string; client: Deno.NetAddr }> {
  using conn = await Deno.connect({ hostname: "127.0.0.1", port });
  await send(conn, concat([header, utf8("GET / HTTP/1.0\r\n\r\n")]));
  const answer = await receiveAll(conn).then(
    (bytes) => new TextDecoder().decode(bytes),
    (error) => {
      assert(error instanceof Deno.errors.ConnectionReset);
      return "";
    },
  );
  return { answer, client: conn.localAddr };
}

const TLVS = { AUTHORITY: "sni.example", UNIQUE_ID: utf8("id-7") };

const SAYS_INET = "src=192.0.2.1 sport=56324 dst=198.51.100.1 dport=443 ";
const SAYS_INET6 = "src=2001:db8::1 sport=56324 dst=2001:db8::2 dport=443 ";
const SAYS_MAPPED =
  "src=2001:db8::1 sport=56324 dst=::ffff:198.51.100.1 dport=443 ";

/** Headers, and what haproxy repeats of them; `undefined` for its real ends. */
const HEADERS: {
  name: string;
  header: ProxyHeader;
  options?: EncodeOptions;
  says: string | undefined;
}[] = [
  { name: "v1 TCP4", header: { version: 1, ...INET }, says: SAYS_INET },
  { name: "v1 TCP6", header: { version: 1, ...INET6 }, says: SAYS_INET6 },
  { name: "v1 UNKNOWN", header: { version: 1 }, says: undefined },
  { name: "v2 INET", header: INET, says: SAYS_INET },
  { name: "v2 INET6", header: INET6, says: SAYS_INET6 },
  {
    name: "v2 of mixed families",
    header: { source: INET6.source, destination: INET.destination },
    says: SAYS_MAPPED,
  },
  {
    name: "v1 of mixed families",
    header: {
      version: 1,
      source: INET6.source,
      destination: INET.destination,
    },
    says: SAYS_MAPPED,
  },
  {
    name: "v2 with TLVs and a checksum",
    header: { ...INET, tlvs: TLVS },
    options: { checksum: true },
    says: `${SAYS_INET}authority=sni.example uid=id-7\n`,
  },
  {
    name: "v2 with TLVs, a checksum and padding",
    header: { ...INET6, tlvs: TLVS },
    options: { checksum: true, align: 64 },
    says: `${SAYS_INET6}authority=sni.example uid=id-7\n`,
  },
  { name: "LOCAL", header: { command: "LOCAL" }, says: undefined },
  {
    name: "LOCAL with a checksum",
    header: { command: "LOCAL" },
    options: { checksum: true },
    says: undefined,
  },
];

Deno.test({ name: "encode() is read by haproxy", ignore }, async (t) => {
  await using haproxy = await startHaproxy(receiver);
  const { port } = haproxy;
  for (const { name, header, options, says } of HEADERS) {
    await t.step(name, async () => {
      const { answer, client } = await ask(port, encode(header, options));
      assertStringIncludes(
        answer,
        says ??
          `src=127.0.0.1 sport=${client.port} dst=127.0.0.1 dport=${port} `,
      );
    });
  }
});

Deno.test({
  name: "encode() adds a checksum that haproxy verifies: it resets a wrong one",
  ignore,
  async fn() {
    await using haproxy = await startHaproxy(receiver);
    // haproxy 2.6 does not look at that of LOCAL.
    for (const header of [INET, INET6]) {
      const bytes = encode({ ...header, tlvs: TLVS }, { checksum: true });
      const { answer } = await ask(haproxy.port, bytes);
      assertStringIncludes(answer, "200 OK");
      // The last byte of the unique id, or of the checksum.
      bytes[bytes.length - 1]! ^= 1;
      assertEquals((await ask(haproxy.port, bytes)).answer, "");
    }
  },
});
