import { Server as HttpServer } from "node:http";
import { Server as NetServer } from "node:net";
import { Server as TlsServer } from "node:tls";
import { listenerHint } from "../_misuse.ts";

/**
 * Property of servers that are behind the PROXY protocol. It is the same symbol in
 * all copies of this package, because `./register` and a program may load two.
 */
const WRAPPED = Symbol.for("@edgewire/proxy-protocol/node wrapped");

/** Remembers that a server is behind the PROXY protocol. */
export function markWrapped(server: object): void {
  Object.defineProperty(server, WRAPPED, { value: true });
}

/** Whether a server is behind the PROXY protocol. */
export function isWrapped(server: object): boolean {
  return Object.hasOwn(server, WRAPPED);
}

/** Properties in which packages keep the server of their connections. */
const PLACES = ["server", "_server", "socketServer", "httpServer"];

/**
 * Whether an object receives connections itself, so that wrapping it covers them
 * all. Servers of all five modules do. On Bun, a server of HTTP is not a server of
 * `node:net`.
 */
function isServer(value: unknown): boolean {
  return value instanceof NetServer || value instanceof HttpServer;
}

/**
 * Checks that a server can deliver sockets before their header has arrived.
 *
 * @throws {TypeError} for servers of HTTP and TLS, which read the handle of a
 * socket themselves. None of their protocols has a server that speaks first.
 */
export function checkLazy(server: object): void {
  if (!readsHandles(server)) return;
  throw new TypeError(
    "Cannot read lazy: only for servers of node:net, those of HTTP and TLS do not speak first",
  );
}

/** Whether a server reads the handles of its sockets itself, as for HTTP and TLS. */
export function readsHandles(server: object): boolean {
  return server instanceof TlsServer || server instanceof HttpServer ||
    server.constructor.name === "Http2Server";
}

/**
 * Checks that a value is a server that can be wrapped. Objects such as an
 * `SMTPServer` only resemble a server and have one inside. Wrapping the outer
 * object would not cover the connections.
 *
 * @throws {TypeError} for any other value, and for a server that is wrapped already.
 */
export function checkServer(value: unknown): void {
  if (!isServer(value)) {
    const hint = listenerHint(value) ?? placeOf(value);
    throw new TypeError(
      `Cannot wrap the server: expected one of node:net, node:tls, node:http, node:https or node:http2${
        hint === undefined ? "" : `; ${hint}`
      }`,
    );
  }
  if (typeof value === "object" && value !== null && isWrapped(value)) {
    throw new TypeError("Cannot wrap the server: wrapped already");
  }
}

/** Returns a hint what to wrap instead, if a known property has a server. */
function placeOf(value: unknown): string | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const place = PLACES.find((name) => isServer(Reflect.get(value, name)));
  return place === undefined ? undefined : `wrap its .${place} instead`;
}
