import { checkOneOf, checkPlain, quote } from "../../codec/internal.ts";
import type { Address } from "../../codec/mod.ts";
import type { OuterOptions } from "./outer_listener.ts";
import type {
  DenoHandler,
  DenoHandlerInfo,
  DenoNetAddr,
  DenoProxyOptions,
  DenoServeOptions,
  DenoServeTcpOptions,
} from "./types.ts";

/** Length of the queue of connections; that of Deno, 511, overflows when 2000 clients connect at once. */
const TCP_BACKLOG = 4096;

/** Options of every kind of listener, as a caller without types may give them. */
export interface GivenOptions
  extends
    Omit<DenoServeOptions<never>, "onListen">,
    Pick<
      DenoServeTcpOptions,
      "hostname" | "port" | "reusePort" | "tcpBacklog" | "key" | "cert"
    > {
  transport?: string;
  path?: string;
  cid?: unknown;
  tunnel?: unknown;
  // Methods: what they are called with follows the kind of listener.
  handler?(
    request: Request,
    info: DenoHandlerInfo<Address>,
  ): Response | Promise<Response>;
  onListen?(localAddr: Address): void;
}

/** Options as they are used. */
export interface ServeOptions {
  readonly outer: OuterOptions;
  readonly proxy: DenoProxyOptions;
  readonly handler: DenoHandler<Address>;
  readonly signal: AbortSignal | undefined;
  readonly onListen: ((localAddr: Address) => void) | undefined;
  /** For the internal server. */
  readonly inner: Pick<
    DenoServeOptions<DenoNetAddr>,
    "onError" | "automaticCompression"
  >;
  readonly isTls: boolean;
  readonly tcpBacklog: number;
}

/**
 * Reads options. Those that say nothing of where to listen go to Deno as they
 * are, so that it checks them and later versions may have more of them.
 *
 * @throws {TypeError} for a wrong option, with its name.
 */
export function readServeOptions(
  options: GivenOptions,
  given: GivenOptions["handler"],
): ServeOptions {
  if (typeof options !== "object" || options === null) {
    throw new TypeError(
      `Cannot serve: expected options with proxy, received ${quote(options)}`,
    );
  }
  checkPlain("options", options); // what it inherits would be lost: a certificate, say
  const {
    proxy,
    handler: own,
    signal,
    onListen,
    transport,
    path,
    hostname,
    port,
    cid,
    tunnel,
    reusePort,
    tcpBacklog = TCP_BACKLOG,
    ...inner
  } = options;
  const handler = given ?? own;
  checkOneOf("transport", transport, [undefined, "tcp", "unix"]);
  if (cid !== undefined || tunnel !== undefined) {
    throw new TypeError(
      "Cannot serve: only TCP and UNIX listeners are supported, received options of another kind",
    );
  }
  if (typeof handler !== "function") {
    throw new TypeError(
      `Cannot serve: expected a handler, received ${quote(handler)}`,
    );
  }
  if (typeof proxy !== "object" || proxy === null) {
    throw new TypeError(
      `Cannot read proxy: expected an object with trust, received ${
        quote(proxy)
      }`,
    );
  }
  if ("lazy" in proxy && proxy.lazy) {
    throw new TypeError("Cannot read lazy: HTTP servers do not speak first");
  }
  return {
    outer: { path, hostname, port, reusePort, tcpBacklog },
    proxy,
    handler,
    signal,
    onListen,
    inner,
    isTls: "cert" in inner || "key" in inner,
    tcpBacklog,
  };
}
