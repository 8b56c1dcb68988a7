import type { Address } from "../codec/mod.ts";
import type { Ends } from "./_addresses.ts";

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

/** As the runtime has them: none for UNIX sockets. */
function partsOf(end: Address): {
  address?: string;
  port?: number;
  family?: string;
} {
  if ("path" in end) return {};
  const { hostname: address, port } = end;
  return { address, port, family: address.includes(":") ? "IPv6" : "IPv4" };
}

function shown(value: unknown): PropertyDescriptor {
  return { value, enumerable: true, configurable: true };
}
