import { connect as connectNet, isIP, type Socket } from "node:net";
import { clearTimeout, setTimeout } from "node:timers";
import { connect as connectTls, type ConnectionOptions } from "node:tls";
import { checkNames, readEncodeOptions } from "../../codec/internal.ts";
import type { EncodeOptions } from "../../codec/mod.ts";
import { checkTimeout } from "../_checks.ts";
import { clientOf } from "./client.ts";

/** Default deadline in ms, as in undici. */
const DEFAULT_TIMEOUT = 10_000;

/** Options of {@link connectorFor}. */
export interface ConnectorOptions {
  /**
   * Options to encode the header, such as `{ version: 1 }`.
   *
   * @default {{ version: 2 }}
   */
  header?: EncodeOptions;
  /**
   * Options of `tls.connect` for targets of `https:`, such as `ca`. If they are set, a
   * target without a protocol is dialled with TLS.
   */
  tls?: ConnectionOptions;
  /**
   * Time limit in ms for connecting, including TLS. `Infinity` for no limit.
   *
   * @default {10000}
   */
  timeout?: number;
}

/** Names of {@link ConnectorOptions}. */
const NAMES = Object.keys(
  { header: 0, tls: 0, timeout: 0 } satisfies Record<
    keyof ConnectorOptions,
    0
  >,
);

/** Target of a connection, in the forms of `node:http`, `node:http2` and undici. */
export interface ConnectTarget {
  /** `https:` for TLS. */
  readonly protocol?: string | null | undefined;
  /** Name or address. Takes precedence over `host`. */
  readonly hostname?: string | null | undefined;
  /** Name or address. */
  readonly host?: string | null | undefined;
  /** Port. The default is 80 or 443. */
  readonly port?: number | string | null | undefined;
  /** Path of a UNIX socket, in place of host and port. */
  readonly socketPath?: string | null | undefined;
  /** Address to connect from. */
  readonly localAddress?: string | null | undefined;
  /** Server name for TLS. */
  readonly servername?: string | null | undefined;
}

/**
 * Connects, and returns the socket at once. `done`, if it is a function, is called
 * with an error, or with `null` and the socket when it is connected.
 */
export type Connector = (
  target: URL | ConnectTarget,
  done?: object,
) => Socket;

/**
 * Returns a function that connects to a backend on behalf of one client: each
 * connection begins with the client's PROXY header, in plain text before TLS
 * (section 2). Use it as
 *
 * - `connect` of an `Agent`, `Pool` or `Client` of undici,
 * - `createConnection` of `http2.connect` and of `http.request`.
 *
 * An object that keeps its connections must serve only this client. See
 * {@link perClient}.
 *
 * @param client As for {@link headerOf}, such as the client's request or
 * socket, or a header.
 *
 * @throws {TypeError} as for {@link headerOf}, for a header that cannot be
 * written, and for a wrong or unknown option.
 * @throws {RangeError} for a header that cannot be written, and for an option out
 * of its range.
 *
 * @example
 * ```ts ignore
 * import { connect } from "node:http2";
 * import { createServer } from "node:http";
 * import { connectorFor, proxied } from "@edgewire/proxy-protocol/node";
 *
 * const server = createServer((req, res) => {
 *   const session = connect("https://10.0.0.9:443", {
 *     createConnection: connectorFor(req),
 *   });
 *   session.on("error", () => res.destroy());
 *   session.request({ ":path": req.url }).pipe(res);
 *   res.on("close", () => session.close());
 * });
 * proxied(server, { trust: ["10.0.0.0/8"] }).listen(8080);
 * ```
 */
export function connectorFor(
  client: object,
  options: ConnectorOptions = {},
): Connector {
  checkNames("options", options, NAMES);
  const { header = {}, tls, timeout = DEFAULT_TIMEOUT } = options;
  readEncodeOptions(header);
  checkTimeout("timeout", timeout, 1);
  const { header: bytes } = clientOf(client, header);
  return (target, done) => {
    const raw = dial(target);
    raw.write(bytes); // before it is connected, so the header is sent first
    const socket = usesTls(target, tls) ? beginTls(raw, target, tls) : raw;
    report(socket, raw === socket ? "connect" : "secureConnect", timeout, done);
    return socket;
  };
}

function usesTls({ protocol }: ConnectTarget, tls: unknown): boolean {
  return protocol ? protocol === "https:" : tls !== undefined;
}

function dial(target: URL | ConnectTarget): Socket {
  if (target instanceof URL) return dial(fromUrl(target));
  const { socketPath, localAddress, protocol, port } = target;
  if (socketPath) return connectNet({ path: socketPath });
  return connectNet({
    host: hostOf(target),
    port: Number(port || (protocol === "https:" ? 443 : 80)),
    noDelay: true,
    ...(localAddress && { localAddress }),
  });
}

function fromUrl({ protocol, hostname, port }: URL): ConnectTarget {
  return { protocol, hostname, port };
}

/** Removes the brackets around IPv6 that the host of a URL has. */
function hostOf({ hostname, host }: ConnectTarget): string {
  return (hostname || host || "localhost").replace(/^\[(.*)\]$/, "$1");
}

function beginTls(
  raw: Socket,
  target: URL | ConnectTarget,
  tls: ConnectionOptions | undefined,
): Socket {
  const host = hostOf(target);
  const asked = "servername" in target && target.servername;
  const servername = asked || (isIP(host) === 0 ? host : "");
  return connectTls({
    // Only http2.connect() passes a URL. Others set ALPN themselves.
    ALPNProtocols: [target instanceof URL ? "h2" : "http/1.1"],
    ...(servername && { servername }),
    host,
    ...tls,
    socket: raw, // the TLS socket also emits the errors of `raw`
  });
}

/** Bounds the time until `event`, and calls back. */
function report(
  socket: Socket,
  event: string,
  timeout: number,
  done: object | undefined,
): void {
  const timer = timeout === Infinity ? undefined : setTimeout(() => {
    socket.destroy(new Error(`Cannot connect: no answer within ${timeout} ms`));
  }, timeout);
  const end = () => {
    clearTimeout(timer);
    socket.off("error", fail).off("close", end).off(event, succeed);
  };
  const fail = (error: Error) => {
    end();
    socket.on("error", () => {}); // Node emits errors below TLS twice
    if (typeof done === "function") Reflect.apply(done, undefined, [error]);
  };
  const succeed = () => {
    end();
    if (typeof done === "function") {
      Reflect.apply(done, undefined, [null, socket]);
    }
  };
  socket.on("close", end).on(event, succeed);
  if (typeof done === "function") socket.on("error", fail);
}
