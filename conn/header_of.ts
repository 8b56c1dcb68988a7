import { quote, withoutReadings } from "../codec/internal.ts";
import type { Address, ProxyHeader, ProxyInfo, Tlvs } from "../codec/mod.ts";
import { DISCARDED } from "./admission/discarded.ts";
import { Session } from "./datagram/session.ts";
import { type Ends, tcpAddress, toAddress } from "./_ends.ts";
import { type Facts, factsOf, findBehind } from "./_facts.ts";
import type { NativeAddress } from "./native_types.ts";
import { AWAITED, connBehind } from "./proxied_conn.ts";
import { type Origin, tellsAddresses } from "./sending/relayed_header.ts";

/** Result of {@link headerOf}: a header for `encode` and `writeHeader`. */
export interface ClientHeader extends ProxyHeader {
  /** `LOCAL` if there are no addresses. Absent otherwise. */
  command?: "LOCAL";
  /** The client. */
  source?: Address;
  /** The address that the client connected to. */
  destination?: Address;
  /**
   * All received TLVs by name. TLVs that you change are written as changed. The
   * others keep their order and their duplicates.
   */
  tlvs: Tlvs;
  /**
   * The received v2 header, which has the order and the duplicates of the TLVs.
   */
  raw?: Uint8Array;
}

/**
 * Returns the header of a connection. Returns `undefined` if there was no
 * header, or with `lazy` if it has not arrived yet. With `header: "discard"` it
 * returns the discarded header.
 *
 * @param connection The connection as any of these objects: a `ProxiedConn` or
 * its `raw`, a socket, a request, a stream or session of HTTP/2, or a session
 * of UDP.
 *
 * @example
 * ```ts ignore
 * import { proxied, proxyInfo } from "@edgewire/proxy-protocol";
 *
 * const tcp = Deno.listen({ port: 8080 });
 * for await (const conn of proxied(tcp, { trust: ["10.0.0.0/8"] })) {
 *   console.log(proxyInfo(conn)?.tlvs.AUTHORITY); // example.com
 *   conn.close();
 * }
 * ```
 */
export function proxyInfo(connection: object): ProxyInfo | undefined {
  return knownOf(connection)?.info;
}

/**
 * Returns the address of the hop: the proxy that connected to this server, or a
 * direct client. The connection itself may show the client. Returns `undefined`
 * for a connection that was not accepted by this library.
 *
 * @param connection As for {@link proxyInfo}.
 *
 * @example
 * ```ts ignore
 * import { proxied, proxyHop } from "@edgewire/proxy-protocol";
 *
 * const tcp = Deno.listen({ port: 8080 });
 * for await (const conn of proxied(tcp, { trust: ["10.0.0.0/8"] })) {
 *   const hop = proxyHop(conn);
 *   console.log(hop?.transport); // tcp
 *   conn.close();
 * }
 * ```
 */
export function proxyHop(connection: object): Address | undefined {
  return knownOf(connection)?.hop;
}

/**
 * Returns the header that names the client of a connection to a backend (section
 * 4.1, chains of proxies): the client's addresses and the received TLVs, ready for
 * `encode` and `writeHeader`.
 *
 * Version 2 is written, whatever version arrived, unless the options of
 * `encode` or `writeHeader` have another `version`. The header is LOCAL if the
 * received header was LOCAL or had no addresses. It is also LOCAL for a direct
 * client without an address, as on a UNIX socket. A header that was received
 * with `header: "discard"` is not passed on: the result has the real addresses.
 *
 * @param connection As for {@link proxyInfo}. A connection, socket or request that
 * was not accepted by this library has its own addresses.
 *
 * @throws {TypeError} for an object that is not a connection, and while the
 * client is unknown: with `lazy`, before the header has arrived or after it was
 * rejected.
 *
 * @example
 * ```ts ignore
 * import { headerOf, proxied, writeHeader } from "@edgewire/proxy-protocol";
 *
 * const tcp = Deno.listen({ port: 8080 });
 * for await (const client of proxied(tcp, { trust: ["10.0.0.0/8"] })) {
 *   const backend = await Deno.connect({ hostname: "10.0.0.9", port: 443 });
 *   const { tlvs, ...header } = headerOf(client);
 *   await writeHeader(backend, { ...header, tlvs: { ...tlvs, ALPN: "h2" } });
 *   client.pipeTo(backend.writable).catch(console.error);
 *   backend.readable.pipeTo(client.writable).catch(console.error);
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
    tlvs: { ...passed && withoutReadings(passed.tlvs, passed.tlv_loc) },
    ...(passed?.version === 2 && { raw: passed.raw }),
  };
}

/** What is known of something that this library handed out. */
type Known = Pick<Facts, "info" | "hop" | "shown" | "isAwaited" | "conn">;

function knownOf(connection: object): Known | undefined {
  const conn = connBehind(connection);
  if (conn !== undefined) {
    const { info, hopAddr: hop, remoteAddr, localAddr } = conn;
    const isAwaited = AWAITED.has(conn);
    return { info, hop, shown: { remoteAddr, localAddr }, isAwaited, conn };
  }
  if (connection instanceof Session) {
    const { info, hop, remoteAddr, localAddr = UNKNOWN } = connection;
    const shown = { remoteAddr, localAddr };
    return { info, hop, shown, isAwaited: false, conn: connection };
  }
  return factsOf(connection);
}

/** What the header of a connection is made from. */
function originOf(connection: object): Origin {
  const known = knownOf(connection);
  if (known === undefined) {
    return { info: undefined, ...strangersEnds(connection) };
  }
  const { info, hop, shown, isAwaited, conn } = known;
  if (isAwaited) {
    throw new TypeError(
      "Cannot name the client: its header has not arrived, or was rejected; wait for ready",
    );
  }
  if (shown !== undefined) return { info, ...shown };
  const { localAddr = UNKNOWN } = ownEnds(conn) ?? {};
  return { info, remoteAddr: hop, localAddr };
}

/** The ends of what this library did not hand out. */
function strangersEnds(connection: object): Ends {
  const ends = findBehind(connection, ownEnds);
  if (ends !== undefined) return ends;
  throw new TypeError(
    `Cannot name the client: expected a connection, a socket or a request, received ${
      quote(connection)
    }`,
  );
}

/** An end that nobody knows, as that of a socket after a reset. */
const UNKNOWN = tcpAddress();

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
