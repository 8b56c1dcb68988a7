import process from "node:process";
import { formatAddress, type ProxyProtocolError } from "../../codec/mod.ts";
import type { Settings } from "./variables.ts";

/**
 * Place of a listener: a UNIX socket, or a port, which is 0 if the system chooses it.
 * `undefined` if it is not known, as for a descriptor.
 */
export type Place = number | "unix" | undefined;

/** The options of each listener, for the adapters. */
export type RuledOptions = Settings["options"] & {
  onReject(error: ProxyProtocolError): void;
};

/** Which listeners are behind the PROXY protocol, by the variables. */
export class Rules {
  readonly #settings: Settings;
  /** Codes of rejections that have been printed. */
  readonly #printed = new Set<string>();
  /** For listeners that may speak first. */
  readonly options: RuledOptions;
  /** For all others, because HTTP and TLS wait for their client in any case. */
  readonly optionsOfHttp: RuledOptions;

  constructor(settings: Settings) {
    this.#settings = settings;
    const onReject = (error: ProxyProtocolError) => this.#printFirst(error);
    this.options = { ...settings.options, onReject };
    this.optionsOfHttp = { ...this.options, lazy: false };
  }

  /** Whether a listener at a place is behind the PROXY protocol. */
  covers(place: Place): boolean {
    const { ports, hasUnix } = this.#settings;
    if (place === "unix") return hasUnix;
    return ports === undefined || place === undefined || ports.has(place);
  }

  /**
   * Ends the program if the list of ports contradicts what was done for a listener.
   * That happens if the environment of Deno has changed the port, or the system has
   * chosen it.
   */
  confirm(what: string, port: number, isCovered: boolean): void {
    if (this.covers(port) === isCovered) return;
    end(
      isCovered
        ? `${what} listens on port ${port}, which PROXY_PROTOCOL_PORTS does not have; add ${port}`
        : `${what} listens on port ${port} without the PROXY protocol, since another one or none was asked for`,
    );
  }

  /** Ends the program if UDP uses a port whose TCP is behind the PROXY protocol. */
  checkUdp(what: string, port: number): void {
    if (port === 0 || !this.covers(port)) return; // 0: a client's
    end(
      `${what} on port ${port} receives UDP, which cannot be behind the PROXY protocol here; set PROXY_PROTOCOL_PORTS to the ports that your proxy connects to`,
    );
  }

  /** Says which listener is behind the PROXY protocol. */
  print(what: string, where: string): void {
    const { trust } = this.#settings.options;
    const whom = Array.isArray(trust) ? trust.join(", ") : trust;
    say(`${what} on ${where} is behind the PROXY protocol, trusting ${whom}`);
  }

  /** Prints the first rejection of each kind, because any peer can cause many. */
  #printFirst({ code, message }: ProxyProtocolError): void {
    if (this.#printed.has(code)) return;
    this.#printed.add(code);
    say(`${message} (printed once for the code "${code}")`);
  }
}

/** Returns the name of a place, from the object that a runtime shows for it. */
export function placeName(where: unknown): string {
  if (typeof where === "string") return where;
  if (typeof where !== "object" || where === null) return "a socket";
  const { path, unix, hostname, address, port }: Shown = where;
  const name = [path, unix].find((name) => typeof name === "string");
  if (typeof name === "string") return name;
  return formatAddress({
    transport: "tcp",
    hostname: `${hostname ?? address}`,
    port: Number(port),
  });
}

/** What says where something listens. */
interface Shown {
  path?: unknown;
  unix?: unknown;
  hostname?: unknown;
  address?: unknown;
  port?: unknown;
}

/** Prints a line on standard error. */
export function say(line: string): void {
  console.error(`PROXY protocol: ${line}`);
}

/** Ends the program. */
export function end(reason: string): never {
  say(reason);
  process.exit(1);
  throw new Error(reason); // in a worker thread, whose end comes later
}
