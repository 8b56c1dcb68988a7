import type { Address } from "../codec/mod.ts";
import type { Ends } from "./_addresses.ts";

/**
 * Makes a socket of Bun or Node show these ends in place of its own. They are
 * accessors of its class, so assigning would throw or be lost.
 */
export function showEnds(socket: object, ends: Ends): void {
  const [remote, local] = [partsOf(ends.remoteAddr), partsOf(ends.localAddr)];
  show(socket, "remoteAddress", remote.address);
  show(socket, "remotePort", remote.port);
  show(socket, "remoteFamily", remote.family);
  show(socket, "localAddress", local.address);
  show(socket, "localPort", local.port);
  show(socket, "localFamily", local.family);
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

function show(socket: object, name: string, value: unknown): void {
  Object.defineProperty(socket, name, {
    value,
    enumerable: true,
    configurable: true,
  });
}
