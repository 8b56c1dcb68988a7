import { setImmediate } from "node:timers";
import { type ClientSocket, socketOf } from "./client.ts";

/** Object that is made for a client, and closed after the client has left. */
export interface Closable {
  /** Closes the object after the current requests have ended. */
  close(): unknown;
  /** Whether the object is closed, so that another one must be made. */
  readonly closed?: boolean;
  /** Whether the object is destroyed, so that another one must be made. */
  readonly destroyed?: boolean;
}

/**
 * Keeps one object for each client's connection, such as a session of
 * `node:http2` or a dispatcher of undici, so that it never serves another
 * client. Returns a function that returns the object for a request or a socket.
 * `make` is called at the first call for a client, and again after the object
 * was closed. `close()` is called when the client's connection closes, so there
 * is at most one for each client.
 *
 * With undici: `perClient((client) => new Agent({ connect: connectorFor(client) }))`
 * returns the `dispatcher` of a request. This needs the package undici. Bun replaces
 * it by an implementation that ignores dispatchers, and so does `fetch` of Deno.
 *
 * @throws {TypeError} from the returned function, for an object that has no
 * socket of Node.
 *
 * @example
 * ```ts ignore
 * import { createServer } from "node:http";
 * import { connect } from "node:http2";
 * import {
 *   connectorFor,
 *   perClient,
 *   proxied,
 * } from "@edgewire/proxy-protocol/node";
 *
 * const sessionFor = perClient((client) => {
 *   const session = connect("https://10.0.0.9:443", {
 *     createConnection: connectorFor(client),
 *   });
 *   return session.on("error", console.error);
 * });
 * const server = createServer((req, res) => {
 *   const stream = sessionFor(req).request({ ":path": req.url });
 *   stream.on("error", () => res.destroy()).pipe(res);
 * });
 * proxied(server, { trust: ["10.0.0.0/8"] }).listen(8080);
 * ```
 */
export function perClient<T extends Closable>(
  make: (client: object) => T,
): (client: object) => T {
  const made = new WeakMap<ClientSocket, T>();
  return (client) => {
    const socket = socketOf(client);
    if (socket === undefined) {
      throw new TypeError(
        "Cannot find the client: expected a socket or a request of Node",
      );
    }
    const known = made.get(socket);
    if (known && !known.closed && !known.destroyed) return known;
    const fresh = make(client);
    made.set(socket, fresh);
    const leave = () => close(made.get(socket));
    if (socket.destroyed) setImmediate(leave); // after its one request
    else if (known === undefined) socket.once("close", leave);
    return fresh;
  };
}

async function close(closable: Closable | undefined): Promise<void> {
  try {
    await closable?.close();
  } catch {
    // It has been destroyed meanwhile.
  }
}
