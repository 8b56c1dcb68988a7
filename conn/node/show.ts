import process from "node:process";
import type { Address } from "../../codec/mod.ts";
import { type Ends, showEnds, tcpAddress, unixAddress } from "../_ends.ts";
import type { Facts } from "../_facts.ts";
import type { NodeSocket } from "./types.ts";
import { override } from "./override.ts";

/** Whether the handle of a socket is asked for its names; on Bun its own fields are. */
const ASKS_HANDLES = !("bun" in process.versions);

/**
 * Makes a socket show these ends in place of its own, and whatever is built upon
 * it later: `address()`, TLS that the application starts.
 *
 * On Node and Deno a socket asks its handle, and a TLS socket asks that of the
 * socket below. One answer of the handle costs less than six properties of the
 * socket.
 */
export function showOn(socket: object, ends: Ends): void {
  const handle: unknown = Reflect.get(socket, "_handle");
  if (typeof handle !== "object" || handle === null) {
    return showEnds(socket, ends);
  }
  if (ASKS_HANDLES && "getpeername" in handle) {
    override(handle, "getpeername", teller(ends.remoteAddr));
    override(handle, "getsockname", teller(ends.localAddr));
    // Names that the socket keeps, and returns when its handle is gone.
    Reflect.set(socket, "_peername", namesOf(ends.remoteAddr));
    Reflect.set(socket, "_sockname", namesOf(ends.localAddr));
    return;
  }
  showEnds(socket, ends);
  if (!ASKS_HANDLES) showOnUpgrades(handle, ends);
}

/** What the system says of an end; nothing of one without an address. */
function namesOf(end: Address): object {
  if ("path" in end) return {};
  const { hostname: address, port } = end;
  return { address, port, family: address.includes(":") ? "IPv6" : "IPv4" };
}

/** Answers like `getpeername` of a handle: into an object, and 0. */
function teller(end: Address): (into: object) => number {
  return (into) => {
    Object.assign(into, namesOf(end));
    return 0;
  };
}

/** On Bun, TLS upon a socket begins with `upgradeTLS` of its handle, which gives another one. */
function showOnUpgrades(handle: object, ends: Ends): void {
  const upgradeTLS: unknown = Reflect.get(handle, "upgradeTLS");
  if (typeof upgradeTLS !== "function") return;
  override(handle, "upgradeTLS", (...args: unknown[]) => {
    const handles: unknown = Reflect.apply(upgradeTLS, handle, args);
    if (Array.isArray(handles)) {
      for (const upgraded of handles) showEnds(upgraded, ends);
    }
    return handles;
  });
}

/** Returns what a socket shows: its own ends if the header shows nothing. */
export function shownEnds(
  { localAddress, localPort }: Partial<
    Pick<NodeSocket, "localAddress" | "localPort">
  >,
  { shown, hop }: Facts,
): Ends {
  if (shown !== undefined) return shown;
  const localAddr = hop.path === undefined
    ? tcpAddress(localAddress, localPort)
    : unixAddress();
  return { remoteAddr: hop, localAddr };
}
