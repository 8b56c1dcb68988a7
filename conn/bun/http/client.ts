import type { Facts } from "../../_facts.ts";
import type { BunSocketAddress } from "./types.ts";

/** Returns the client as a new object like `requestIP`, `null` for a UNIX socket. */
export function clientOf({ hop, shown }: Facts): BunSocketAddress | null {
  const client = shown?.remoteAddr ?? hop;
  if ("path" in client) return null;
  const { hostname: address, port } = client;
  return { address, port, family: address.includes(":") ? "IPv6" : "IPv4" };
}
