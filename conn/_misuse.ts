/** Objects that belong to another entry point: a message that names it saves a search. */

const PACKAGE = "@edgewire/proxy-protocol";

/** Whether an object has methods of these names. */
function has(given: unknown, ...names: readonly string[]): boolean {
  return typeof given === "object" && given !== null &&
    names.every((name) => typeof Reflect.get(given, name) === "function");
}

/** Whether it is a socket or a stream of Node. */
function isNodeStream(given: unknown): boolean {
  return has(given, "on", "destroy", "unshift");
}

/** Whether it is a server of Node, or looks like one. */
function isNodeServer(given: unknown): boolean {
  return has(given, "on", "emit", "listen", "close");
}

/** Whether it is a listener of Deno, or looks like one. */
function isListener(given: unknown): boolean {
  return has(given, "accept", "close");
}

/**
 * Checks what `accept` of `.` is given.
 *
 * @throws {TypeError} for a socket of Node or UDP, and what is no connection at all.
 */
export function checkConn(given: unknown): void {
  if (isNodeStream(given)) {
    throw new TypeError(
      `Cannot accept a socket of Node here: use accept() of ${PACKAGE}/node`,
    );
  }
  const isPair = typeof given === "object" && given !== null &&
    "readable" in given && "writable" in given;
  // A Worker gets its chunks, each a datagram, by the handler that gets streams.
  if (isPair && Reflect.get(given, "protocol") === "udp") {
    throw new TypeError(
      "Cannot accept a socket of UDP: a header is in each datagram, use DatagramSessions",
    );
  }
  if (isPair || has(given, "read", "write")) return;
  throw new TypeError(
    "Cannot accept the connection: expected one with read() and write(), or with readable and writable",
  );
}

/**
 * Checks what `proxied` of `.` is given.
 *
 * @throws {TypeError} for a server of Node, and what is no listener at all.
 */
export function checkListener(given: unknown): void {
  if (isListener(given)) return;
  throw new TypeError(
    isNodeServer(given)
      ? `Cannot wrap a server of Node here: use proxied() of ${PACKAGE}/node`
      : "Cannot wrap the listener: expected one with accept() and close()",
  );
}

/**
 * Checks what `proxied` of `./bun` is given.
 *
 * @throws {TypeError} for a server of Node, a listener, and what is no object.
 */
export function checkHandlers(given: unknown): void {
  if (isNodeServer(given)) {
    throw new TypeError(
      `Cannot wrap a server of Node here: use proxied() of ${PACKAGE}/node`,
    );
  }
  if (isListener(given)) {
    throw new TypeError(
      `Cannot wrap a listener here: use proxied() of ${PACKAGE}`,
    );
  }
  if (typeof given === "object" && given !== null) return;
  throw new TypeError(
    "Cannot wrap the handlers: expected those of Bun.listen({ socket })",
  );
}

/**
 * Checks what `accept` of `./node` is given.
 *
 * @throws {TypeError} for a connection of Deno, and what is no socket at all.
 */
export function checkSocket(given: unknown): void {
  if (isNodeStream(given)) return;
  throw new TypeError(
    has(given, "read", "write", "closeWrite")
      ? `Cannot accept a connection without events here: use accept() of ${PACKAGE}`
      : "Cannot accept the socket: expected one of node:net or node:tls",
  );
}

/** Why `proxied` of `./node` wraps no listener of Deno; `undefined` for anything else. */
export function listenerHint(given: unknown): string | undefined {
  return isListener(given)
    ? `for a listener with accept() use proxied() of ${PACKAGE}`
    : undefined;
}
