/**
 * What the drivers share: a server that is asked on its first port.
 *
 * @module
 */

import { type Launch, type Places, start } from "../_system.ts";
import { type Ask, askHttp } from "./_client.ts";
import type { Receiving } from "./_receiver.ts";

/** What a configuration is written from. */
export interface Site extends Places {
  /** The port for headers: the first of the free ones. */
  port: number;
}

/** How a server is started and asked. */
export interface Plan {
  /** Writes its files; what to start. It is ready when its port answers. */
  configure(site: Site): Promise<Omit<Launch, "ready">>;
  /**
   * Sends a header and a request.
   *
   * @default {askHttp}
   */
  ask?: Ask;
}

/** Starts a server. */
export async function startPlan(
  { configure, ask = askHttp }: Plan,
): Promise<Receiving> {
  const running = await start(1, async (places) => ({
    ...await configure({ ...places, port: firstOf(places.ports) }),
    ready: places.ports,
  }));
  const port = firstOf(running.ports);
  return {
    probe: (sent) => ask(port, sent),
    [Symbol.asyncDispose]: () => running[Symbol.asyncDispose](),
  };
}

/** Writes a file, in a directory that may not be there yet; its path. */
export async function write(path: string, text: string): Promise<string> {
  await Deno.mkdir(path.slice(0, path.lastIndexOf("/")), { recursive: true });
  await Deno.writeTextFile(path, text);
  return path;
}

function firstOf(ports: readonly number[]): number {
  const [port] = ports;
  if (port === undefined) throw new Error("No port was given");
  return port;
}
