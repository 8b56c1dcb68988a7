import { Server as HttpServer } from "node:http";
import { Server as NetServer } from "node:net";
import { Server as TlsServer } from "node:tls";
import { listenerHint } from "../_misuse.ts";

/**
 * The mark of servers that are behind the PROXY protocol. All copies of this
 * package have the same: `./register` and a program may load two of them.
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

/** Where packages keep the server that their connections come by. */
const PLACES = ["server", "_server", "socketServer", "httpServer"];

/**
 * Whether connections come by an object, so that nobody gets past who wraps it:
 * servers of all five modules are such. On Bun those of HTTP are none of
 * `node:net`.
 */
function isServer(value: unknown): boolean {
  return value instanceof NetServer || value instanceof HttpServer;
}

/**
 * Checks that a server can hand sockets over before their header has come.
 *
 * @throws {TypeError} for servers of HTTP and TLS, which read the handle of a
 * socket themselves; none of them speaks first.
 */
export function checkLazy(server: object): void {
  if (!readsHandles(server)) return;
  throw new TypeError(
    "Cannot read lazy: only for servers of node:net, those of HTTP and TLS do not speak first",
  );
}

/** Whether a server is one of HTTP or TLS, which read the handle of a socket themselves. */
export function readsHandles(server: object): boolean {
  return server instanceof TlsServer || server instanceof HttpServer ||
    server.constructor.name === "Http2Server";
}

/**
 * Checks what is to be wrapped. What only looks like a server, as an `SMTPServer`
 * does, has one inside: connections would come past whoever wraps the outer one.
 *
 * @throws {TypeError} for anything else, and for a server that is wrapped already.
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

/** What to wrap instead, if it is where packages have it. */
function placeOf(value: unknown): string | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const place = PLACES.find((name) => isServer(Reflect.get(value, name)));
  return place === undefined ? undefined : `wrap its .${place} instead`;
}
