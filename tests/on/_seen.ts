/** What an application sees of a connection, as each runtime shows it. */

import type { Address, ProxyInfo } from "../../codec/mod.ts";
import type { ProxiedConn } from "../../mod.ts";

/** An end of a connection; a path is not shown by every runtime. */
export interface SeenEnd {
  hostname: string;
  port: number;
  family: string;
}

/** What a header says, without its bytes. */
export interface SeenHeader {
  version: 1 | 2;
  command: string;
  family: string;
  transport: string;
  source?: Address;
  /** Names of the TLVs. */
  tlvs: string[];
}

/** What an application, or `verify`, sees of a connection. */
export interface Seen {
  /** `null` for what has no address of IP. */
  remote: SeenEnd | null;
  local: SeenEnd | null;
  hop: Address | null;
  /** `null` where there is no header. */
  header: SeenHeader | null;
}

/** A socket of Bun or Node, as far as it shows its ends. */
interface ShowsEnds {
  readonly remoteAddress?: string | undefined;
  readonly remotePort?: number | undefined;
  readonly remoteFamily?: string | undefined;
  readonly localAddress?: string | undefined;
  readonly localPort?: number | undefined;
  readonly localFamily?: string | undefined;
}

/** Looks at a connection of Deno or workerd. */
export function seeConn(conn: ProxiedConn): Seen {
  return {
    remote: seeAddress(conn.remoteAddr),
    local: seeAddress(conn.localAddr),
    hop: conn.hopAddr,
    header: seeHeader(conn.info),
  };
}

/** Looks at a socket of Bun or Node, of which the rest is known elsewhere. */
export function seeSocket(
  socket: ShowsEnds,
  hop: Address | undefined,
  info: ProxyInfo | undefined,
): Seen {
  const { remoteAddress, remotePort, remoteFamily } = socket;
  const { localAddress, localPort, localFamily } = socket;
  return {
    remote: seeEnd(remoteAddress, remotePort, remoteFamily),
    local: seeEnd(localAddress, localPort, localFamily),
    hop: hop ?? null,
    header: seeHeader(info),
  };
}

function seeAddress(address: Address): SeenEnd | null {
  if ("path" in address) return null;
  const { hostname, port } = address;
  return { hostname, port, family: hostname.includes(":") ? "IPv6" : "IPv4" };
}

function seeEnd(
  hostname: string | undefined,
  port: number | undefined,
  family: string | undefined,
): SeenEnd | null {
  if (hostname === undefined) return null;
  return { hostname, port: port ?? -1, family: family ?? "none" };
}

function seeHeader(info: ProxyInfo | undefined): SeenHeader | null {
  if (info === undefined) return null;
  const { version, command, family, transport, source, tlvs } = info;
  return {
    ...{ version, command, family, transport },
    ...(source && { source }),
    tlvs: Object.keys(tlvs).sort(),
  };
}
