/**
 * A real haproxy in the foreground, on loopback ports that were free.
 *
 * @module
 */

import {
  type Places as SystemPlaces,
  type Running,
  start,
  untilServed,
} from "./_system.ts";

/** What a configuration is made of. */
export interface Places extends SystemPlaces {
  /** The first of the ports. */
  port: number;
}

/** A haproxy that listens. */
export interface Haproxy extends Running {
  /** The first of its ports. */
  port: number;
}

/**
 * Also a port to ask whether haproxy listens; without another haproxy at the
 * same port, which it would share.
 */
const beginning = (readyPort: number): string => `
global
  maxconn 100
  noreuseport
defaults
  mode tcp
  timeout connect 60s
  timeout client 60s
  timeout server 60s
  timeout check 60s
frontend ready
  bind 127.0.0.1:${readyPort}
`;

/**
 * Starts haproxy with a configuration that listens on ports of loopback, and
 * waits until it does; `await using` ends it.
 */
export async function startHaproxy(
  configure: (places: Places) => string,
  portCount = 1,
): Promise<Haproxy> {
  const running = await start(portCount + 1, async (places) => {
    const { directory, ports: [port = 0] } = places;
    const readyPort = places.ports[portCount] ?? 0;
    const file = `${directory}/haproxy.cfg`;
    const text = beginning(readyPort) + configure({ ...places, port });
    await Deno.writeTextFile(file, text);
    return {
      program: "haproxy",
      args: ["-db", "-q", "-f", file],
      ready: [readyPort],
    };
  });
  await untilServed(running.ports[portCount] ?? 0);
  return { ...running, port: running.ports[0] ?? 0 };
}
