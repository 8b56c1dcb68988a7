/**
 * Stand-in for `@std/net/unstable-ip` where JSR is out of reach, over
 * `node:net`: what the tests use of it.
 *
 * @module
 */

import { BlockList, isIP } from "node:net";

/** Whether an address is in one of these ranges, or is one of these addresses. */
export function matchSubnets(addr: string, subnetOrIps: string[]): boolean {
  const list = new BlockList();
  for (const one of subnetOrIps) {
    const [network = "", prefix] = one.split("/");
    const family = familyOf(network);
    if (prefix === undefined) list.addAddress(network, family);
    else list.addSubnet(network, Number(prefix), family);
  }
  return list.check(addr, familyOf(addr));
}

function familyOf(addr: string): "ipv4" | "ipv6" {
  return isIP(addr) === 4 ? "ipv4" : "ipv6";
}
