import { LARGEST_PORT } from "../../../codec/internal.ts";
import type { ListenPlace } from "./runtime.ts";

declare const process: {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly execArgv: readonly string[];
};

/** Variables that say which port, in the order of Bun. */
const VARIABLES = ["BUN_PORT", "PORT", "NODE_PORT"];

const DEFAULT_PORT = 3000;

/** Host name that `Bun.serve` shows by default. */
const DEFAULT_HOSTNAME = "localhost";

/** Error codes if IPv6 is not available. */
const NO_IPV6: unknown[] = ["EAFNOSUPPORT", "EADDRNOTAVAIL"];

/** The options of `Bun.serve` that say where it listens. */
export interface PlaceOptions {
  readonly unix?: unknown;
  readonly hostname?: unknown;
  readonly port?: unknown;
  readonly reusePort?: unknown;
  readonly ipv6Only?: unknown;
}

/** Where `Bun.serve` would listen by its options. */
export class Place {
  /** Path of a UNIX socket. */
  readonly unix: string | undefined;
  /** As the server shows it. */
  readonly hostname: string;
  readonly #hasHostname: boolean;
  readonly #options: {
    readonly port: unknown;
    readonly reusePort: boolean;
    readonly ipv6Only: boolean;
  };

  /** @throws {TypeError} for a path and a hostname. */
  constructor(options: PlaceOptions) {
    const { unix, hostname, port, reusePort, ipv6Only } = options;
    this.#hasHostname = isGiven(hostname);
    this.unix = isGiven(unix) ? String(unix) : undefined;
    if (this.unix !== undefined && this.#hasHostname) {
      throw new TypeError(
        "Cannot serve: expected either hostname or unix, received both",
      );
    }
    this.hostname = this.#hasHostname ? String(hostname) : DEFAULT_HOSTNAME;
    this.#options = {
      port: isGiven(port) ? port : defaultPort(),
      reusePort: Boolean(reusePort),
      ipv6Only: Boolean(ipv6Only),
    };
  }

  /** The port, as it is given or as Bun would choose it. */
  get port(): unknown {
    return this.#options.port;
  }

  /** Different for different places. */
  get id(): string {
    return this.unix ?? `${this.hostname}:${this.#options.port}`;
  }

  /** Calls a function that listens at a place; throws what that throws. */
  listenBy(listen: (place: ListenPlace) => void): void {
    if (this.unix !== undefined) return listen({ unix: this.unix });
    const options = this.#options;
    if (this.#hasHostname) {
      return listen({ ...options, hostname: this.hostname });
    }
    try {
      listen({ ...options, hostname: "::" }); // IPv4 too
    } catch (error) {
      if (!NO_IPV6.includes(codeOf(error))) throw error;
      listen({ ...options, hostname: "0.0.0.0" });
    }
  }
}

/** Whether an option is set. For Bun, these three values count as missing. */
function isGiven(option: unknown): boolean {
  return option !== undefined && option !== null && option !== "";
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}

/** The port of Bun's own default: a variable, `--port` of the command, 3000. */
function defaultPort(): number {
  const { env, execArgv } = process;
  const at = execArgv.indexOf("--port");
  const flag = at < 0
    ? execArgv.find((argument) => argument.startsWith("--port="))?.slice(7)
    : execArgv[at + 1];
  for (const text of [...VARIABLES.map((name) => env[name]), flag]) {
    const port = readPort(text);
    if (port !== undefined) return port;
  }
  return DEFAULT_PORT;
}

/** Reads a port like Bun. Returns `undefined` for any other value. */
function readPort(text: string | undefined): number | undefined {
  if (text === undefined || !/^\+?\d+$/.test(text)) return undefined;
  const port = Number(text);
  return port <= LARGEST_PORT ? port : undefined;
}
