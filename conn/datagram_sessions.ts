import {
  checkNames,
  checkOneOf,
  checkPlain,
  DECODE_OPTIONS,
  type DecodeRules,
  LARGEST_PORT,
  parseIp,
  quote,
  readDecodeOptions,
} from "../codec/internal.ts";
import type {
  Address,
  DecodeOptions,
  ProxyProtocolError,
  ProxyProtocolErrorCode,
} from "../codec/mod.ts";
import { checkFunction, checkTimeout } from "./_checks.ts";
import { type Ends, unmapped, withoutZone } from "./_ends.ts";
import { expectsHeader, type Policy } from "./admission/policy.ts";
import { toRefusal } from "./admission/refusal.ts";
import { tell, tellMistake } from "./admission/tell.ts";
import { readTrust, readUntrusted } from "./admission/trust.ts";
import { IdleTable } from "./datagram/idle_table.ts";
import {
  type Opened,
  openPlain,
  openProxy,
  openSimple,
} from "./datagram/opened.ts";
import { Session } from "./datagram/session.ts";
import type {
  DatagramHop,
  DatagramSession,
  DatagramSessionsOptions,
  DatagramStats,
  ReceivedDatagram,
} from "./datagram/types.ts";

export type {
  DatagramHop,
  DatagramSession,
  DatagramSessionsOptions,
  DatagramStats,
  ReceivedDatagram,
} from "./datagram/types.ts";

const DEFAULT_IDLE_TIMEOUT = 60_000;
const DEFAULT_MAX_SESSIONS = 16_384;

/** Names of {@link DatagramSessionsOptions}. */
const NAMES: readonly string[] = [
  ...Object.keys(
    {
      trust: 0,
      untrusted: 0,
      header: 0,
      idleTimeout: 0,
      maxSessions: 0,
      onReject: 0,
      onEnd: 0,
    } satisfies Record<
      Exclude<keyof DatagramSessionsOptions, keyof DecodeOptions>,
      0
    >,
  ),
  ...DECODE_OPTIONS,
];

/**
 * Finds the client of each UDP datagram that arrives from a proxy. It does no
 * I/O, so it runs on every runtime: pass it each datagram with the address of
 * the sender.
 *
 * A hop is the proxy that sent the datagram to you. A session is all datagrams
 * of one client through one port of a hop. The session object stays the same
 * until the session ends, so you can use it as the key of a `Map`.
 *
 * | `header`   | read from                  | sent by                             |
 * |------------|----------------------------|-------------------------------------|
 * | `"each"`   | every datagram (section 2) | dnsdist, kdig, go-proxyproto        |
 * | `"first"`  | a session's first datagram | nginx, Spectrum with v2, frp        |
 * | `"simple"` | every datagram             | Spectrum with Simple Proxy Protocol |
 *
 * `"first"` deviates from the specification: the edition of 2026/04/27 requires
 * a header in each datagram (section 2). Every later datagram of the session is
 * payload, even if it looks like a header, so that no client can pose as
 * another.
 *
 * UDP has no handshake. Anyone who can send datagrams with the address of a
 * trusted hop can forge headers, so let only the proxies' network reach the
 * port.
 *
 * @example Node, Deno and Bun
 * ```ts ignore
 * import { createSocket } from "node:dgram";
 * import { DatagramSessions } from "@edgewire/proxy-protocol";
 *
 * const sessions = new DatagramSessions({ trust: ["10.0.0.0/8"] });
 * const socket = createSocket("udp4");
 * socket.on("message", (bytes, hop) => {
 *   const received = sessions.receive(bytes, hop);
 *   if (received === undefined) return; // rejected, see `onReject`
 *   const { session, payload } = received;
 *   console.log(session.remoteAddr); // { transport: "udp", hostname: "192.0.2.7", port: 51234 }
 *   const { hostname, port } = session.replyTo;
 *   socket.send(session.answer(payload), port, hostname);
 * });
 * socket.bind(8080);
 * ```
 */
export class DatagramSessions {
  readonly #header: "each" | "first" | "simple";
  readonly #policy: Pick<Policy<never>, "trusts" | "isDirect">;
  readonly #decode: DecodeRules;
  readonly #onReject: DatagramSessionsOptions["onReject"];
  readonly #proxied: IdleTable<Session>;
  /** Sessions of direct peers, which must not end those of a proxy by their number. */
  readonly #direct: IdleTable<Session>;
  readonly #rejected: Partial<Record<ProxyProtocolErrorCode, number>> = {};
  #accepted = 0;
  #directs = 0;
  #locals = 0;

  /**
   * Reads the options once.
   *
   * @throws {TypeError} for a wrong or unknown option, with its name.
   * @throws {RangeError} for an option out of its range, with its name.
   */
  constructor(options: DatagramSessionsOptions) {
    checkNames("options", options, NAMES);
    checkPlain("options", options);
    const {
      trust,
      untrusted = "reject",
      header = "each",
      idleTimeout = DEFAULT_IDLE_TIMEOUT,
      maxSessions = DEFAULT_MAX_SESSIONS,
      onReject = tellMistake,
      onEnd,
    } = options;
    checkOneOf("header", header, ["each", "first", "simple"]);
    checkTimeout("idleTimeout", idleTimeout, 1);
    checkCount("maxSessions", maxSessions);
    checkFunction("onReject", onReject);
    checkFunction("onEnd", onEnd);
    this.#policy = {
      trusts: readTrust(trust),
      isDirect: readUntrusted(untrusted),
    };
    this.#header = header;
    this.#decode = readDecodeOptions(options);
    this.#onReject = onReject;
    const bounds = {
      idleTimeout,
      maxSize: maxSessions,
      onEnd: (session: Session) => void tell("onEnd", () => onEnd?.(session)),
    };
    this.#proxied = new IdleTable(bounds);
    this.#direct = new IdleTable(bounds);
  }

  /** Returns the current counts. */
  get stats(): DatagramStats {
    return {
      accepted: this.#accepted,
      direct: this.#directs,
      local: this.#locals,
      active: this.#proxied.size + this.#direct.size,
      rejected: { ...this.#rejected },
    };
  }

  /**
   * Returns the session and the payload of a datagram, or `undefined` if the
   * datagram is rejected. A rejected datagram is counted and reported to
   * `onReject`.
   *
   * @throws {TypeError} if `hop` is not an address with a port.
   */
  receive(bytes: Uint8Array, hop: DatagramHop): ReceivedDatagram | undefined {
    const replyTo = readHop(hop);
    const shown = this.#decode.unmap ? unmapped(replyTo) : { ...replyTo };
    try {
      const isHeaderExpected = expectsHeader(this.#policy, shown);
      return isHeaderExpected
        ? this.#receiveProxied(bytes, replyTo, shown)
        : this.#session(this.#direct, keyOf(replyTo), openPlain(bytes), {
          replyTo,
          hop: shown,
        });
    } catch (error) {
      this.#reject(toRefusal(error, shown, bytes));
      return undefined;
    }
  }

  /**
   * Ends all sessions and stops their timers. `onEnd` is called for each
   * session.
   */
  close(): void {
    this.#proxied.clear();
    this.#direct.clear();
  }

  #receiveProxied(
    bytes: Uint8Array,
    replyTo: DatagramSession["replyTo"],
    hop: Address,
  ): ReceivedDatagram {
    const key = keyOf(replyTo);
    if (this.#header === "first") {
      const session = this.#proxied.use(key);
      if (session !== undefined) return { session, payload: bytes };
    }
    const opened = this.#header === "simple"
      ? openSimple(bytes)
      : openProxy(bytes, this.#decode);
    // One socket of the proxy may carry many clients if each datagram says whose it is.
    const ownKey = this.#header === "first" ? key : `${key} ${client(opened)}`;
    return this.#session(this.#proxied, ownKey, opened, { replyTo, hop });
  }

  /** Adds a datagram to its session, or begins one. */
  #session(
    table: IdleTable<Session>,
    key: string,
    opened: Opened,
    { hop, replyTo }: Pick<DatagramSession, "hop" | "replyTo">,
  ): ReceivedDatagram {
    const { payload } = opened;
    const known = table.use(key);
    if (known !== undefined) {
      known.update(opened);
      return { session: known, payload };
    }
    const session = new Session(hop, replyTo, opened, () => {
      if (table.use(key) === session) table.end(key);
    });
    table.add(key, session);
    this.#accepted++;
    if (table === this.#direct) this.#directs++;
    if (opened.info?.command === "LOCAL") this.#locals++;
    return { session, payload };
  }

  #reject(error: ProxyProtocolError): void {
    const { code } = error;
    this.#rejected[code] = (this.#rejected[code] ?? 0) + 1;
    void tell("onReject", () => this.#onReject?.(error));
  }
}

/** Names the client in a key: its two ends, if the header has them. */
function client({ ends }: Opened): string {
  return ends === undefined ? "" : endsText(ends);
}

function endsText({ remoteAddr, localAddr }: Ends): string {
  return `${JSON.stringify(remoteAddr)} ${JSON.stringify(localAddr)}`;
}

function keyOf({ hostname, port }: DatagramSession["replyTo"]): string {
  return `${hostname} ${port}`;
}

/** Reads where a datagram came from. */
function readHop(hop: DatagramHop): DatagramSession["replyTo"] {
  const hostname = "address" in hop ? hop.address : hop.hostname;
  const { port } = hop;
  const isAddress = typeof hostname === "string" &&
    parseIp(withoutZone(hostname)) !== undefined;
  const isPort = Number.isInteger(port) && port >= 0 && port <= LARGEST_PORT;
  if (!isAddress || !isPort) {
    throw new TypeError(
      `Cannot read the hop of a datagram: expected { address, port } or { hostname, port }, received ${
        quote(hop)
      }`,
    );
  }
  return { transport: "udp", hostname, port };
}

function checkCount(name: string, count: number): void {
  if (typeof count === "number" && count >= 1) return;
  throw new RangeError(
    `Cannot read ${name}: must be at least 1, received ${quote(count)}`,
  );
}
