import { getAvailablePort } from "@std/net";

/** Below the range from which the system takes ports for clients. */
const PORTS = { first: 10_000, last: 32_000 };

/**
 * Chooses a port that is free, for programs that are told theirs: whatever can
 * listen on port 0 does. Somebody else may still be quicker to take it.
 */
export function freePort(): number {
  for (;;) {
    const { first, last } = PORTS;
    const preferredPort = first + Math.floor(Math.random() * (last - first));
    if (getAvailablePort({ preferredPort }) === preferredPort) {
      return preferredPort;
    }
  }
}
