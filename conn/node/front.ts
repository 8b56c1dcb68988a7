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
 * Whether a server takes its connections where nobody can read a header from
 * them first: on Bun those of HTTP and TLS are native.
 */
export function needsFront(server: NodeServer): boolean {
  return "bun" in process.versions &&
    (server instanceof HttpServer || server instanceof TlsServer);
}

/**
 * Makes a server listen by way of another one, of `node:net`, whose sockets go
 * to `admit`. To its user it is the server that listens. One that listens
 * already is closed, and listens at the same place again before the runtime has
 * accepted anybody in between.
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

/** Closes a server without telling anybody: it goes on in another way. */
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

/** How to listen where a server did; `place` is what its `address()` has returned. */
function optionsFor(place: unknown): ListenOptions {
  if (typeof place !== "object" || place === null) return { path: `${place}` };
  const [port, host] = ["port", "address"].map((name) =>
    Reflect.get(place, name)
  );
  return { port: Number(port), host: `${host}` };
}

/**
 * Ends TLS in front of an HTTPS server, which on Bun takes the sockets that it
 * is handed as plain ones. Gives what takes the sockets before TLS.
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

/** The options that an HTTPS server was made with; there is no public way to them. */
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
