import type { Known } from "./known.ts";
import type { BunSocketAddress } from "./types.ts";

/** The client as `requestIP` gives it, as a new object; `null` for one of a UNIX socket. */
export function clientOf({ client }: Known): BunSocketAddress | null {
  if ("path" in client) return null;
  const { hostname: address, port } = client;
  return { address, port, family: address.includes(":") ? "IPv6" : "IPv4" };
}
