import type { Address } from "../codec/mod.ts";
import type { Ends } from "./_addresses.ts";

/**
 * Makes a socket of Bun or Node show these ends in place of its own. They are
 * accessors of its class, so assigning would throw or be lost.
 */
export function showEnds(socket: object, ends: Ends): void {
  new Shown(socket, partsOf(ends.remoteAddr), partsOf(ends.localAddr));
}

/** A class whose fields are defined on an object that there is already. */
class Given {
  constructor(object: object) {
    return object;
  }
}

/** Defines fields: on Node 0.2 us instead of 3 for `Object.defineProperties`. */
class Shown extends Given {
  remoteAddress: string | undefined;
  remotePort: number | undefined;
  remoteFamily: string | undefined;
  localAddress: string | undefined;
  localPort: number | undefined;
  localFamily: string | undefined;

  constructor(socket: object, remote: Parts, local: Parts) {
    super(socket);
    this.remoteAddress = remote.address;
    this.remotePort = remote.port;
    this.remoteFamily = remote.family;
    this.localAddress = local.address;
    this.localPort = local.port;
    this.localFamily = local.family;
  }
}

/** An end, part by part. */
interface Parts {
  address?: string;
  port?: number;
  family?: string;
}

/** As the runtime has them: none for UNIX sockets. */
function partsOf(end: Address): Parts {
  if ("path" in end) return {};
  const { hostname: address, port } = end;
  return { address, port, family: address.includes(":") ? "IPv6" : "IPv4" };
}
