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
  type ByteDuplex,
  type NativeAddress,
  type NativeConn,
  type NativeListener,
  type ProxiedConn,
  type ProxyInfo,
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
  const ofTcp: NativeListener<Deno.TcpConn, Deno.NetAddr> = listener;
  const ofTls: NativeListener<Deno.TlsConn, Deno.NetAddr> = tlsListener;
  const ofUnix: NativeListener<Deno.UnixConn, Deno.UnixAddr> = unixListener;
  return [conns, duplexes, shown, ofTcp, ofTls, ofUnix];
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
  proxiedConnFits,
  streamPairsAreAccepted,
  optionsAreChecked,
];
