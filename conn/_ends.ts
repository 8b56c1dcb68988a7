/** The two ends of a connection: as runtimes have them, and as an application sees them. */

import { isMapped, parseIp } from "../codec/internal.ts";
import type { Address, ProxyInfo } from "../codec/mod.ts";
import type { NativeAddress } from "./native_types.ts";

/** The ends of a connection as an application should see them. */
export interface Ends {
  readonly remoteAddr: Address;
  readonly localAddr: Address;
}

/** Converts an address of a runtime to one of the codec; returns a new object. */
export function toAddress(native: NativeAddress): Address {
  const { transport } = native;
  if (transport === "unix" || transport === "unixpacket") {
    return { transport, path: native.path ?? "" };
  }
  // Not `path` too: reading an absent property of an address of Deno takes longer than all else.
  const { hostname = "", port = 0 } = native;
  return { transport: transport === "udp" ? "udp" : "tcp", hostname, port };
}

/** Makes the address of a TCP socket; a connection that was reset has no hostname. */
export function tcpAddress(hostname = "", port = 0): Address {
  return { transport: "tcp", hostname, port };
}

/** The address of a UNIX socket without a name. */
export function unixAddress(): Address {
  return { transport: "unix", path: "" };
}

/** Returns `::ffff:192.0.2.1` as `192.0.2.1`, and any other address as it is. */
export function unmapped(address: Address): Address {
  if ("path" in address) return address;
  const octets = parseIp(withoutZone(address.hostname));
  if (octets?.length !== 16 || !isMapped(octets, 0)) return address;
  return { ...address, hostname: octets.subarray(12).join(".") };
}

/** Returns the ends that a header names, as new objects; `undefined` if it names none. */
export function endsOf(info: ProxyInfo | undefined): Ends | undefined {
  if (!info?.source || !info.destination) return undefined;
  return {
    remoteAddr: { ...info.source },
    localAddr: { ...info.destination },
  };
}

/**
 * Makes a socket of Bun or Node show these ends in place of its own. They are
 * accessors of its class, so assigning would throw or be lost.
 */
export function showEnds(socket: object, ends: Ends): void {
  const [remote, local] = [partsOf(ends.remoteAddr), partsOf(ends.localAddr)];
  // In one go: on Node 3 us instead of 5 for six times `defineProperty`.
  Object.defineProperties(socket, {
    remoteAddress: shown(remote.address),
    remotePort: shown(remote.port),
    remoteFamily: shown(remote.family),
    localAddress: shown(local.address),
    localPort: shown(local.port),
    localFamily: shown(local.family),
  });
}

/** As sockets have them: a UNIX socket has none. */
export function partsOf(end: Address): {
  address?: string;
  port?: number;
  family?: string;
} {
  if ("path" in end) return {};
  const { hostname: address, port } = end;
  return { address, port, family: address.includes(":") ? "IPv6" : "IPv4" };
}

/** Describes a property that shows a value as if it were the runtime's own. */
export function shown(value: unknown): PropertyDescriptor {
  return { value, enumerable: true, configurable: true };
}

/** Returns `fe80::1%eth0` and `fe80::%eth0/64` without `%eth0`. */
export function withoutZone(text: string): string {
  const zone = text.indexOf("%");
  if (zone < 0) return text;
  const slash = text.indexOf("/", zone);
  return text.slice(0, zone) + (slash < 0 ? "" : text.slice(slash));
}
