/** The types of the package, with nothing of any runtime around them. */

import {
  accept,
  type ByteDuplex,
  decode,
  type NativeListener,
  proxied,
  type ProxiedConn,
  type ProxyInfo,
  ProxyProtocolError,
  relay,
  serve,
} from "@edgewire/proxy-protocol";
import {
  type BunSocket,
  proxied as proxiedBun,
} from "@edgewire/proxy-protocol/bun";
import { serveHttp } from "@edgewire/proxy-protocol/deno";
import { TLV_TYPES, type Tlvs } from "@edgewire/proxy-protocol/codec";

const trust = ["10.0.0.0/8"];

export async function use(
  duplex: ByteDuplex,
  listener: Parameters<typeof proxied>[0],
): Promise<string | undefined> {
  const { info, conn } = await accept(duplex, { trust });
  const known: ProxyInfo | undefined = info;
  const stream: ReadableStream<Uint8Array> = conn;
  const type: 0x20 = TLV_TYPES.SSL;
  const tlvs: Tlvs | undefined = decode(Uint8Array.of(type))?.tlvs;
  const server = serve(
    proxied(listener, { trust }),
    (conn: ProxiedConn) => relay(conn, duplex, { send: 2, drop: ["xEA"] }),
  );
  await server.shutdown();
  const handlers = proxiedBun({
    open(socket: BunSocket, info) {
      const address: string | undefined = socket.remoteAddress;
      return [address, info?.tlvs.AUTHORITY];
    },
  }, { trust });
  const http = serveHttp(
    { port: 8080, proxy: { trust } },
    (request, { remoteAddr, proxy }) =>
      new Response(`${request.url} ${remoteAddr.hostname} ${proxy?.family}`),
  );
  await http.shutdown();
  const accepted: number = handlers.stats.accepted + http.stats.accepted;
  try {
    await stream.cancel();
  } catch (error) {
    if (error instanceof ProxyProtocolError) return error.code;
  }
  // @ts-expect-error There is no default for whom to trust.
  await accept(duplex, {});
  return `${known?.family} ${accepted} ${tlvs?.ALPN}`;
}

export type Listener = NativeListener<never>;
