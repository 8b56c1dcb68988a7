import { Server as HttpServer } from "node:http";
import type { Server as HttpsServer } from "node:https";
import { createServer, type ListenOptions, type Socket } from "node:net";
import process from "node:process";
import {
  createServer as createTlsServer,
  Server as TlsServer,
  type TlsOptions,
  type TLSSocket,
} from "node:tls";
import { markWrapped } from "./is_server.ts";
import { override } from "./override.ts";
import type { NodeServer, NodeSocket } from "./types.ts";

/**
 * Whether a header cannot be read before the server has the connection. On Bun,
 * servers of HTTP and TLS are native.
 */
export function needsFront(server: NodeServer): boolean {
  return "bun" in process.versions &&
    (server instanceof HttpServer || server instanceof TlsServer);
}

/**
 * Makes a server listen through another one of `node:net`, whose sockets go to
 * `admit`. The user sees only the first server. A server that already listens is
 * closed and listens again at the same place, before the runtime can accept a
 * connection in between.
 */
export function listenInFront(
  server: NodeServer,
  admit: (socket: Socket) => void,
): void {
  const isHttp = server instanceof HttpServer;
  const front = createServer({ allowHalfOpen: isHttp, noDelay: isHttp }, admit);
  markWrapped(front); // for `./register`, which would wrap it when it listens
  for (const event of ["listening", "error", "drop", "close"]) {
    front.on(event, (...args) => server.emit(event, ...args));
  }
  const place = server.listening ? server.address() : null;
  if (place !== null) closeQuietly(server);
  const { close } = server;
  override(server, "listen", (...args: unknown[]) => {
    Reflect.apply(front.listen, front, args);
    return server;
  });
  override(server, "close", (callback?: (error?: Error) => void) => {
    front.close(callback);
    if (isHttp) Reflect.apply(close, server, []); // closes what is idle
    return server;
  });
  override(server, "ref", () => (front.ref(), server));
  override(server, "unref", () => (front.unref(), server));
  override(server, "address", () => front.address());
  override(
    server,
    "getConnections",
    (callback: (error: Error | null, count: number) => void) => {
      front.getConnections(callback);
      return server;
    },
  );
  Object.assign(front, {
    maxConnections: Reflect.get(server, "maxConnections"),
  });
  for (const name of ["listening", "maxConnections"] as const) {
    Object.defineProperty(server, name, {
      get: () => front[name],
      set: (value) => Reflect.set(front, name, value),
      configurable: true,
    });
  }
  if (place !== null) front.listen(optionsFor(place));
}

/** Closes a server without a `'close'` event, because it listens again in another way. */
function closeQuietly(server: NodeServer): void {
  const { emit } = server;
  let isTold = false;
  override(server, "emit", (...event: unknown[]) => {
    if (event[0] !== "close" || isTold) {
      return Reflect.apply(emit, server, event);
    }
    isTold = true;
    return true;
  });
  server.close();
}

/** Returns options to listen where a server did. `place` is its `address()`. */
function optionsFor(place: unknown): ListenOptions {
  if (typeof place !== "object" || place === null) return { path: `${place}` };
  const [port, host] = ["port", "address"].map((name) =>
    Reflect.get(place, name)
  );
  return { port: Number(port), host: `${host}` };
}

/**
 * Ends TLS in front of an HTTPS server, which on Bun expects plain-text sockets.
 * Returns a function that accepts sockets before TLS.
 */
export function endTls(
  server: HttpsServer,
  deliver: (socket: TLSSocket) => void,
): (socket: NodeSocket) => void {
  const tls = createTlsServer(optionsOf(server));
  tls.on("secureConnection", (socket) => {
    server.emit("secureConnection", socket);
    deliver(socket);
  });
  tls.on("tlsClientError", (error, socket) => {
    server.emit("tlsClientError", error, socket);
  });
  return (socket) => void tls.emit("connection", socket);
}

/** Returns the options of an HTTPS server, which have no public accessor. */
function optionsOf(server: HttpsServer): TlsOptions {
  const symbol = Object.getOwnPropertySymbols(server).find(
    ({ description }) => description === "options",
  );
  const options: unknown = symbol && Reflect.get(server, symbol);
  if (typeof options !== "object" || options === null) {
    throw new Error("Cannot wrap the server: its TLS options are not known");
  }
  return options;
}
