import type { Facts } from "../../_facts.ts";
import type { BunSocketAddress } from "./types.ts";

/** The client as `requestIP` gives it, as a new object; `null` for one of a UNIX socket. */
export function clientOf({ hop, shown }: Facts): BunSocketAddress | null {
  const client = shown?.remoteAddr ?? hop;
  if ("path" in client) return null;
  const { hostname: address, port } = client;
  return { address, port, family: address.includes(":") ? "IPv6" : "IPv4" };
}
