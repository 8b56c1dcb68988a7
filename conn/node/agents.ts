import { Agent as HttpAgent, type AgentOptions } from "node:http";
import {
  Agent as HttpsAgent,
  type AgentOptions as HttpsAgentOptions,
} from "node:https";
import { connect } from "node:net";
import { readEncodeOptions } from "../../codec/internal.ts";
import type { EncodeOptions } from "../../codec/mod.ts";
import { checkTimeout } from "../_checks.ts";
import { type ConnectAs, speakForClients } from "./speak_for_clients.ts";

/** Idle connections of all clients together, as many as `node:http` keeps for one host. */
const DEFAULT_MOST_IDLE = 256;

/** In ms: less than the 5 s after which a server of Node closes an idle connection. */
const DEFAULT_IDLE_TIMEOUT = 4000;

/** Options of {@link HeaderAgent} that differ from those of `http.Agent`. */
export interface ClientPoolOptions {
  /**
   * How headers are encoded, such as `{ version: 1 }`.
   *
   * @default {{ version: 2 }}
   */
  header?: EncodeOptions;
  /**
   * Keeps connections for further requests of the same client.
   *
   * @default {true}
   */
  keepAlive?: boolean | undefined;
  /**
   * Largest number of idle connections of all clients together. The one that has
   * been idle longest is closed to make room.
   *
   * @default {256}
   */
  maxFreeSockets?: number | undefined;
  /**
   * How long a connection may be idle, in ms. `Infinity` for no limit.
   *
   * @default {4000}
   */
  idleTimeout?: number;
}

/** Options of {@link HeaderAgent}: those of `http.Agent`, and a few more. */
export interface HeaderAgentOptions extends AgentOptions, ClientPoolOptions {}

/** Options of {@link HttpsHeaderAgent}: those of `https.Agent`, and a few more. */
export interface HttpsHeaderAgentOptions
  extends HttpsAgentOptions, ClientPoolOptions {}

/**
 * An `http.Agent` that begins each connection with a PROXY header and keeps its
 * connections by client. A reverse proxy names its clients to a backend with it
 * (section 4.1). {@link HttpsHeaderAgent} is the same for HTTPS.
 *
 * A header belongs to a connection, not to a request. An agent that all clients
 * share would send the request of one client over the idle connection of another.
 * This agent never does. {@link HeaderAgent.for} returns the agent for one client,
 * which only finds connections that began with that client's header.
 *
 * An idle connection is closed after `idleTimeout`, when all clients together
 * have more than `maxFreeSockets`, and when the client's own connection closes.
 *
 * @example
 * ```ts ignore
 * import { createServer, request } from "node:http";
 * import { HeaderAgent, proxied } from "@edgewire/proxy-protocol/node";
 *
 * const agent = new HeaderAgent();
 * const server = createServer((req, res) => {
 *   const { method, headers, url: path } = req;
 *   const upstream = request({
 *     ...{ hostname: "10.0.0.9", port: 9100, method, headers, path },
 *     agent: agent.for(req),
 *   }, (answer) => {
 *     res.writeHead(answer.statusCode ?? 502, answer.headers);
 *     answer.pipe(res);
 *   });
 *   upstream.on("error", () => res.destroy());
 *   req.pipe(upstream);
 * });
 * proxied(server, { trust: ["10.0.0.0/8"] }).listen(8080);
 * ```
 *
 * With http-proxy and httpxy, `agent` is an option of each request:
 * `proxy.web(req, res, { target, agent: agent.for(req) })`.
 */
export class HeaderAgent extends HttpAgent {
  readonly #for: (client: object) => HttpAgent;

  /**
   * Makes an agent without connections.
   *
   * @throws {TypeError} for a wrong or unknown option of `header`, with its name.
   * @throws {RangeError} for `idleTimeout` or an option of `header` out of its range.
   */
  constructor(options: HeaderAgentOptions = {}) {
    const { own, rest } = readOptions(options);
    super(rest);
    this.#for = speakForClients(this, { ...own, connectAs: writeFirst });
  }

  /**
   * Returns the agent for the requests of one client: the same pool, limits and
   * options, but only with connections that began with this client's header.
   *
   * @param client As for {@link headerOf}, such as the client's request or
   * socket. For your own requests, pass a header such as
   * `{ command: "LOCAL" }`.
   *
   * @throws {TypeError} like {@link headerOf}, and for a header that cannot be written.
   * @throws {RangeError} for a header that cannot be written.
   */
  for(client: object): HttpAgent {
    return this.#for(client);
  }
}

/**
 * An `https.Agent` that begins each connection with a PROXY header, in plain text
 * before TLS (section 2), and keeps its connections by client. See
 * {@link HeaderAgent}.
 *
 * @example
 * ```ts ignore
 * import { createServer } from "node:http";
 * import { request } from "node:https";
 * import { HttpsHeaderAgent, proxied } from "@edgewire/proxy-protocol/node";
 *
 * const agent = new HttpsHeaderAgent({ header: { checksum: true } });
 * const server = createServer((req, res) => {
 *   const target = { hostname: "10.0.0.9", port: 443, path: req.url };
 *   request({ ...target, agent: agent.for(req) }, (answer) => answer.pipe(res))
 *     .on("error", () => res.destroy())
 *     .end();
 * });
 * proxied(server, { trust: ["10.0.0.0/8"] }).listen(8080);
 * ```
 */
export class HttpsHeaderAgent extends HttpsAgent {
  readonly #for: (client: object) => HttpsAgent;

  /**
   * Makes an agent without connections.
   *
   * @throws {TypeError} for a wrong or unknown option of `header`, with its name.
   * @throws {RangeError} for `idleTimeout` or an option of `header` out of its range.
   */
  constructor(options: HttpsHeaderAgentOptions = {}) {
    const { own, rest } = readOptions(options);
    super(rest);
    this.#for = speakForClients(this, { ...own, connectAs: writeBeforeTls });
  }

  /** Returns the agent for the requests of one client, like {@link HeaderAgent.for}. */
  for(client: object): HttpsAgent {
    return this.#for(client);
  }
}

/** Writes the header before the connection is open, so that it is sent first. */
const writeFirst: ConnectAs = (options, header, connect) => {
  const socket = connect(options);
  socket.write(header);
  return socket;
};

const writeBeforeTls: ConnectAs = (options, header, connectTls) => {
  const raw = connect(options);
  raw.write(header);
  return connectTls({ ...options, socket: raw }); // the TLS socket also emits the errors of `raw`
};

function readOptions<O extends ClientPoolOptions>(options: O) {
  const { header = {}, idleTimeout = DEFAULT_IDLE_TIMEOUT, ...rest } = options;
  readEncodeOptions(header);
  checkTimeout("idleTimeout", idleTimeout, 1);
  const { keepAlive = true, maxFreeSockets = DEFAULT_MOST_IDLE } = options;
  return {
    own: { encode: header, mostIdle: maxFreeSockets, idleTimeout },
    rest: { ...rest, keepAlive, maxFreeSockets },
  };
}
