import { quote } from "../codec/internal.ts";
import type { Address, ProxyHeader, ProxyInfo, Tlvs } from "../codec/mod.ts";
import { DISCARDED } from "./admission/discarded.ts";
import { type Ends, tcpAddress, toAddress } from "./_ends.ts";
import { type Facts, factsOf, findBehind } from "./_facts.ts";
import type { NativeAddress } from "./native_types.ts";
import { AWAITED, connBehind } from "./proxied_conn.ts";
import { type Origin, tellsAddresses } from "./sending/relayed_header.ts";

/** What {@link headerOf} returns: a header that `encode` and `writeHeader` take. */
export interface ClientHeader extends ProxyHeader {
  /** `LOCAL` if there are no addresses; absent if there are. */
  command?: "LOCAL";
  /** The client. */
  source?: Address;
  /** What the client connected to. */
  destination?: Address;
  /**
   * All received TLVs by name. What you change here is written as you change it;
   * the rest keeps its order and its duplicates.
   */
  tlvs: Tlvs;
  /** The received v2 header, which has the order and the duplicates. */
  raw?: Uint8Array;
}

/**
 * Returns the header by which a connection arrived. Takes what an application
 * holds of a connection: a {@link ProxiedConn} or its `raw`, a socket, a
 * `TLSSocket`, a request, a stream or a session of HTTP/2. Returns `undefined` if
 * there was no header, or none yet with `lazy`.
 *
 * With `header: "discard"` the result says what the header claimed.
 *
 * @example
 * ```ts
 * import { proxied, proxyInfo } from "@edgewire/proxy-protocol";
 *
 * async function serve(tcp: Deno.TcpListener) {
 *   for await (const conn of proxied(tcp, { trust: ["10.0.0.0/8"] })) {
 *     const { AUTHORITY = "no name" } = proxyInfo(conn)?.tlvs ?? {};
 *     console.log("The client asked the proxy for", AUTHORITY);
 *     conn.close();
 *   }
 * }
 * ```
 */
export function proxyInfo(connection: object): ProxyInfo | undefined {
  const conn = connBehind(connection);
  return conn === undefined ? factsOf(connection)?.info : conn.info;
}

/**
 * Returns the address of the peer, whatever the connection shows: the proxy that
 * dialled this server, or a direct client. Takes what {@link proxyInfo} takes.
 * Returns `undefined` for a connection that was not accepted by this library.
 *
 * @example
 * ```ts
 * import { proxied, proxyHop } from "@edgewire/proxy-protocol";
 *
 * async function serve(tcp: Deno.TcpListener) {
 *   for await (const conn of proxied(tcp, { trust: ["10.0.0.0/8"] })) {
 *     console.log(conn.remoteAddr, "by way of", proxyHop(conn));
 *     conn.close();
 *   }
 * }
 * ```
 */
export function proxyHop(connection: object): Address | undefined {
  const conn = connBehind(connection);
  return conn === undefined ? factsOf(connection)?.hop : conn.hopAddr;
}

/**
 * Returns the header that tells a backend who the client of a connection is
 * (section 4.1, chains of proxies): its addresses and the received TLVs, ready
 * for {@link encode} and {@link writeHeader}. Takes what {@link proxyInfo} takes,
 * and also a connection, a socket or a request that this library never saw,
 * whose addresses are its own.
 *
 * The version is not that of the received header: version 2 is written, unless
 * the options of `encode` or `writeHeader` have another `version`. The header is
 * LOCAL if a LOCAL header arrived, or one without addresses, or if a direct client
 * has no address, as on a UNIX socket. Of a header that was received with
 * `header: "discard"` it has nothing: the addresses are the real ones.
 *
 * @throws {TypeError} if `connection` has no addresses, as an object that is no
 * connection, and with `lazy` before the header has arrived.
 *
 * @example
 * ```ts
 * import { headerOf, proxied, writeHeader } from "@edgewire/proxy-protocol";
 *
 * async function chain(tcp: Deno.TcpListener) {
 *   for await (const client of proxied(tcp, { trust: ["10.0.0.0/8"] })) {
 *     const backend = await Deno.connect({ hostname: "10.0.0.9", port: 8080 });
 *     const { tlvs, ...header } = headerOf(client);
 *     await writeHeader(backend, { ...header, tlvs: { ...tlvs, ALPN: "h2" } });
 *     client.pipeTo(backend.writable).catch(console.error);
 *     backend.readable.pipeTo(client.writable).catch(console.error);
 *   }
 * }
 * ```
 */
export function headerOf(connection: object): ClientHeader {
  const origin = originOf(connection);
  const { info, remoteAddr, localAddr } = origin;
  const passed = info !== undefined && !DISCARDED.has(info) ? info : undefined;
  return {
    ...(tellsAddresses(origin)
      ? { source: { ...remoteAddr }, destination: { ...localAddr } }
      : { command: "LOCAL" }),
    tlvs: { ...passed?.tlvs },
    ...(passed?.version === 2 && { raw: passed.raw }),
  };
}

/** What the header of a connection is made from. */
function originOf(connection: object): Origin {
  if (typeof connection === "object" && connection !== null) {
    const conn = connBehind(connection);
    if (conn !== undefined) {
      if (AWAITED.has(conn)) throw awaitedError();
      return conn;
    }
    const facts = factsOf(connection);
    if (facts !== undefined) return originFrom(facts);
    const ends = findBehind(connection, ownEnds);
    if (ends !== undefined) return { info: undefined, ...ends };
  }
  throw new TypeError(
    `Cannot tell the client: expected a connection, a socket or a request, received ${
      quote(connection)
    }`,
  );
}

function originFrom({ info, hop, shown, isAwaited, conn }: Facts): Origin {
  if (isAwaited) throw awaitedError();
  const ends = shown ?? {
    remoteAddr: hop,
    localAddr: ownEnds(conn)?.localAddr ?? tcpAddress(),
  };
  return { info, ...ends };
}

function awaitedError(): TypeError {
  return new TypeError(
    "Cannot tell the client: its header has not arrived, or was rejected; wait for ready",
  );
}

/** A connection as runtimes have it: Deno, or Node and Bun. */
interface Connection {
  remoteAddr?: NativeAddress;
  localAddr?: NativeAddress;
  remoteAddress?: string;
  remotePort?: number;
  localAddress?: string;
  localPort?: number;
}

/** The ends of an object that has such, be they empty. */
function ownEnds(connection: Connection): Ends | undefined {
  const { remoteAddr, localAddr } = connection;
  if (remoteAddr && localAddr) {
    return {
      remoteAddr: toAddress(remoteAddr),
      localAddr: toAddress(localAddr),
    };
  }
  if (!("remoteAddress" in connection)) return undefined;
  const { remoteAddress, remotePort, localAddress, localPort } = connection;
  return {
    remoteAddr: tcpAddress(remoteAddress, remotePort),
    localAddr: tcpAddress(localAddress, localPort),
  };
}
