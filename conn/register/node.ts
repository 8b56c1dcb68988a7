import { Socket as DatagramSocket } from "node:dgram";
import { Server as HttpServer } from "node:http";
import { Server as HttpsServer } from "node:https";
import { Server as NetServer } from "node:net";
import { Server as TlsServer } from "node:tls";
import { proxied } from "../node.ts";
import { isWrapped, readsHandles } from "../node/is_server.ts";
import { override } from "../node/override.ts";
import type { NodeServer } from "../node/types.ts";
import { type Place, placeName, type Rules } from "./rules.ts";

/** Puts the servers of `node:net`, `tls`, `http`, `https` and `http2` behind the PROXY protocol when they listen. */
export function coverNode(rules: Rules): void {
  const covered = new WeakSet<object>();
  const cover = (server: NodeServer, place: Place) => {
    if (!rules.covers(place)) {
      if (covered.has(server) && typeof place === "number") {
        rules.confirm(nameOf(server), place, true);
      }
      return;
    }
    if (isWrapped(server)) return; // by the program, or it is a listener of ours
    covered.add(server);
    proxied(
      server,
      readsHandles(server) ? rules.optionsOfHttp : rules.options,
    );
    Reflect.apply(NetServer.prototype.once, server, ["listening", () => {
      rules.print(nameOf(server), placeName(server.address()));
    }]);
  };
  // On Node all servers inherit `listen` of `node:net`, on Bun those of HTTP do not.
  for (const prototype of [NetServer.prototype, HttpServer.prototype]) {
    if (!Object.hasOwn(prototype, "listen")) continue;
    const { listen } = prototype;
    override(prototype, "listen", function (this: NodeServer, ...args) {
      const before: unknown = Reflect.get(this, "listen");
      cover(this, placeIn(args));
      const after: unknown = Reflect.get(this, "listen");
      // On Bun another server listens in the place of one of HTTP or TLS.
      const isReplaced = typeof after === "function" && after !== before;
      return Reflect.apply(isReplaced ? after : listen, this, args);
    });
  }
  if ("Bun" in globalThis) return; // where `node:dgram` is made of `Bun.udpSocket`
  const { bind } = DatagramSocket.prototype;
  override(DatagramSocket.prototype, "bind", function (this: object, ...args) {
    const [first] = args;
    const port = isObject(first) ? Reflect.get(first, "port") : first;
    rules.checkUdp("A socket of node:dgram", Number(port) || 0);
    return Reflect.apply(bind, this, args);
  });
}

/** Returns the place where a server listens with these arguments. */
function placeIn([first]: readonly unknown[]): Place {
  if (isObject(first)) {
    const port: unknown = Reflect.get(first, "port");
    if (port !== undefined && port !== null) return Number(port);
    return typeof Reflect.get(first, "path") === "string" ? "unix" : undefined;
  }
  if (typeof first === "number") return first;
  if (typeof first !== "string") return 0; // none: the system chooses one
  return first.trim() !== "" && Number(first) >= 0 ? Number(first) : "unix";
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

function nameOf(server: object): string {
  const module = server.constructor.name.startsWith("Http2")
    ? "http2"
    : server instanceof HttpsServer
    ? "https"
    : server instanceof HttpServer
    ? "http"
    : server instanceof TlsServer
    ? "tls"
    : "net";
  return `A server of node:${module}`;
}
