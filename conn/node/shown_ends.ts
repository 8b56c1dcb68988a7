import { type Ends, tcpAddress, unixAddress } from "../_ends.ts";
import type { Facts } from "../_facts.ts";
import type { NodeSocket } from "./types.ts";

/** What a socket shows: its own ends if the header shows nothing. */
export function shownEnds(
  { localAddress, localPort }: Pick<NodeSocket, "localAddress" | "localPort">,
  { shown, hop }: Facts,
): Ends {
  if (shown !== undefined) return shown;
  const localAddr = "path" in hop
    ? unixAddress()
    : tcpAddress(localAddress, localPort);
  return { remoteAddr: hop, localAddr };
}
