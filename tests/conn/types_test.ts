/**
 * Proofs for the compiler: what is here passes when it type-checks, and is
 * never run.
 *
 * @module
 */

import {
  accept,
  type Accepted,
  type AcceptOptions,
  type Address,
  awsVpcEndpointId,
  type ByteDuplex,
  decode,
  type DecodeOptions,
  type DefinedTlvs,
  defineTlv,
  describe,
  encode,
  formatAddress,
  type NativeAddress,
  type NativeConn,
  type NativeListener,
  type NetAddress,
  proxied,
  type ProxiedConn,
  type ProxyHeader,
  type ProxyInfo,
  type ProxyProtocolError,
  serve,
  type TlvReader,
  type UnixAddress,
} from "../../mod.ts";
import type { Readable } from "node:stream";

/** Holds only for one and the same type. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends
  (<T>() => T extends B ? 1 : 2) ? true : false;

/** Does not compile unless the type is `true`. */
function holds<T extends true>(): T | void {}

declare const options: AcceptOptions;

async function denoConnsAreAccepted(
  tcp: Deno.TcpConn,
  tls: Deno.TlsConn,
  unix: Deno.UnixConn,
  any: Deno.Conn,
): Promise<void> {
  const ofTcp = await accept(tcp, options);
  const ofTls = await accept(tls, options);
  const ofUnix = await accept(unix, options);
  const ofAny = await accept(any, options);

  // What was put in comes out as `raw`, with what only it can do.
  holds<Same<typeof ofTcp.conn.raw, Deno.TcpConn>>();
  holds<Same<typeof ofTls.conn.raw, Deno.TlsConn>>();
  holds<Same<typeof ofUnix.conn.raw, Deno.UnixConn>>();
  holds<Same<typeof ofAny.conn.raw, Deno.Conn>>();
  ofTcp.conn.raw.setNoDelay();
  await Deno.startTls(ofTcp.conn.raw);
  await ofTls.conn.raw.handshake();

  holds<Same<typeof ofTcp, Accepted<Deno.TcpConn>>>();
  holds<Same<typeof ofTcp.info, ProxyInfo | undefined>>();
}

function denoTypesFit(
  tcp: Deno.TcpConn,
  tls: Deno.TlsConn,
  unix: Deno.UnixConn,
  address: Deno.NetAddr | Deno.UnixAddr,
  listener: Deno.TcpListener,
  tlsListener: Deno.TlsListener,
  unixListener: Deno.UnixListener,
): unknown[] {
  const conns: NativeConn[] = [tcp, tls, unix];
  const duplexes: ByteDuplex[] = [tcp, tls, unix];
  const shown: NativeAddress = address;
  const given: Address = address;
  const [net, path]: [Deno.NetAddr, Deno.UnixAddr] = [netOf(), unixOf()];
  const back: [NetAddress, UnixAddress] = [net, path];
  const ofTcp: NativeListener<Deno.TcpConn, Deno.NetAddr> = listener;
  const ofTls: NativeListener<Deno.TlsConn, Deno.NetAddr> = tlsListener;
  const ofUnix: NativeListener<Deno.UnixConn, Deno.UnixAddr> = unixListener;
  return [conns, duplexes, shown, given, back, ofTcp, ofTls, ofUnix];
}

declare function netOf(): NetAddress;
declare function unixOf(): UnixAddress;

/** What people write first of an address, without asking which of the two it is. */
function addressesAreReadable(
  conn: ProxiedConn<Deno.TcpConn>,
  info: ProxyInfo,
  error: ProxyProtocolError,
): void {
  holds<Same<typeof conn.remoteAddr.hostname, string | undefined>>();
  holds<Same<typeof conn.remoteAddr.port, number | undefined>>();
  holds<Same<typeof conn.remoteAddr.path, string | undefined>>();
  const { source } = info;
  holds<Same<NonNullable<typeof source>["hostname"], string | undefined>>();
  const hostname: string | undefined = error.hop?.hostname;
  const { remoteAddr } = conn;
  if (remoteAddr.path === undefined) {
    holds<Same<typeof remoteAddr, NetAddress>>();
  } else holds<Same<typeof remoteAddr, UnixAddress>>();
  if (remoteAddr.transport === "tcp") {
    holds<Same<typeof remoteAddr, NetAddress>>();
  }
  const text: string = formatAddress(error.hop) + formatAddress(info.source);
  void [hostname, text];
}

function proxiedConnFits(conn: ProxiedConn<Deno.TcpConn>): unknown[] {
  const asConn: Deno.Conn = conn;
  const asStream: ReadableStream<Uint8Array> = conn;
  const asNative: NativeConn = conn;
  const asDuplex: ByteDuplex = conn;
  const asBody: BodyInit = conn;
  const asDisposable: Disposable = conn;
  const asWeb: Parameters<typeof Readable.fromWeb>[0] = conn;
  const asAnything: ProxiedConn = conn;
  const shown: Deno.NetAddr | Deno.UnixAddr = conn.remoteAddr;
  holds<Same<typeof conn.remoteAddr, Address>>();
  holds<Same<typeof conn.hopAddr, Address>>();
  holds<Same<typeof conn.localAddr, Address>>();
  holds<Same<typeof conn.info, ProxyInfo | undefined>>();
  return [
    asConn,
    asStream,
    asNative,
    asDuplex,
    asBody,
    asDisposable,
    asWeb,
    asAnything,
    shown,
  ];
}

/** Only two upper-case digits name a type without a name. */
function tlvNamesAreChecked({ tlvs }: ProxyInfo): void {
  holds<Same<typeof tlvs.xEA, Uint8Array | undefined>>();
  holds<Same<typeof tlvs.ALPN, string | undefined>>();
  // @ts-expect-error: lower case
  void tlvs.xea;
  // @ts-expect-error: three digits
  void tlvs.xEAA;
  // @ts-expect-error: no digit
  void tlvs.xEG;
  // @ts-expect-error: lower case
  const header: ProxyHeader = { tlvs: { xea: new Uint8Array() } };
  const written: ProxyHeader = { tlvs: { xEA: new Uint8Array() } };
  void [header, written];
}

/** What is defined has its type wherever an info comes from. */
async function definedTlvsAreTyped(
  bytes: Uint8Array,
  tcp: Deno.TcpConn,
  listener: Deno.TcpListener,
): Promise<void> {
  const tenant = defineTlv({
    type: 0xe4,
    name: "TENANT",
    read: (value) => value[0],
  });
  holds<Same<typeof tenant, TlvReader<"TENANT", number>>>();
  const define = [tenant, awsVpcEndpointId];
  const info = decode(bytes, { define });
  holds<Same<typeof info, ProxyInfo<Defined> | undefined>>();
  if (info !== undefined) {
    holds<Same<typeof info.tlvs.TENANT, number | undefined>>();
    holds<Same<typeof info.tlvs.AWS_VPC_ENDPOINT_ID, string | undefined>>();
    holds<Same<typeof info.tlvs.ALPN, string | undefined>>();
    // @ts-expect-error: nobody has defined it
    void info.tlvs.GCP_PSC_CONNECTION_ID;
    // @ts-expect-error: a reading of xE4, which is what is written
    info.tlvs.TENANT = 1;
    const plain: ProxyInfo = info;
    holds<Same<ReturnType<typeof tenant>, number | undefined>>();
    void [tenant(info), tenant(plain), tenant({ ...info })];
    void [encode(info), describe(info), structuredClone(info)];
  }
  // @ts-expect-error: not what defineTlv() returns
  decode(bytes, { define: [{ type: 1, tlvName: "A", read: () => 1 }] });

  const plain = decode(bytes, { tlvs: "lenient" });
  holds<Same<typeof plain, ProxyInfo | undefined>>();
  const options: DecodeOptions = { define };
  const loose = decode(bytes, options);
  holds<Same<typeof loose, ProxyInfo | undefined>>();

  const accepted = await accept(tcp, {
    trust: [],
    define,
    verify: ({ tlvs }, conn) => {
      holds<Same<typeof tlvs.TENANT, number | undefined>>();
      return conn.info?.tlvs.TENANT === 1;
    },
  });
  holds<Same<typeof accepted, Accepted<Deno.TcpConn, Defined>>>();
  accepted.conn.raw.setNoDelay();
  const wrapped = proxied(listener, { trust: [], define });
  for await (const conn of wrapped) {
    holds<Same<typeof conn, ProxiedConn<Deno.TcpConn, Defined>>>();
    const fits: ProxiedConn = conn;
    void fits;
  }
  serve(wrapped, (conn) => {
    holds<Same<typeof conn, ProxiedConn<Deno.TcpConn, Defined>>>();
    return conn.info?.tlvs.TENANT;
  });
}

type Defined = DefinedTlvs<
  TlvReader<"TENANT", number> | typeof awsVpcEndpointId
>;

/** The shape of Cloudflare's `Socket`, and of the WinterTC Sockets API. */
interface CloudflareSocket {
  get readable(): ReadableStream;
  get writable(): WritableStream;
  get closed(): Promise<void>;
  get opened(): Promise<{ remoteAddress?: string; localAddress?: string }>;
  get upgraded(): boolean;
  get secureTransport(): "on" | "off" | "starttls";
  close(): Promise<void>;
  startTls(options?: { expectedServerHostname?: string }): CloudflareSocket;
}

async function streamPairsAreAccepted(
  socket: CloudflareSocket,
  transform: TransformStream<Uint8Array, Uint8Array>,
): Promise<void> {
  const ofSocket = await accept(socket, options);
  holds<Same<typeof ofSocket.conn.raw, CloudflareSocket>>();
  ofSocket.conn.raw.startTls();
  await accept(transform, options);
}

async function optionsAreChecked(tcp: Deno.TcpConn): Promise<void> {
  // @ts-expect-error: there is no safe default for trust
  await accept(tcp, {});
  // @ts-expect-error: one address is not a list
  await accept(tcp, { trust: "127.0.0.1" });
  // @ts-expect-error: not a policy
  await accept(tcp, { trust: [], header: "guess" });
  // @ts-expect-error: not a connection
  await accept({ read: tcp.read }, { trust: [] });
  await accept(tcp, { trust: ["unix"] as const, versions: [2] as const });
  await accept(tcp, { trust: "any", verify: ({ source }) => !!source });
  await accept(tcp, {
    trust: (hop) => "path" in hop || hop.hostname === "::1",
    verify: async (_info, conn) => await Promise.resolve(conn.locked),
  });
}

void [
  denoConnsAreAccepted,
  denoTypesFit,
  addressesAreReadable,
  tlvNamesAreChecked,
  definedTlvsAreTyped,
  proxiedConnFits,
  streamPairsAreAccepted,
  optionsAreChecked,
];
