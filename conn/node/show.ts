import process from "node:process";
import type { Address } from "../../codec/mod.ts";
import { type Ends, showEnds, tcpAddress, unixAddress } from "../_ends.ts";
import type { Facts } from "../_facts.ts";
import type { NodeSocket } from "./types.ts";
import { override } from "./override.ts";

const IS_BUN = "bun" in process.versions;

/**
 * Makes a socket show these ends in place of its own. So do `address()` and a TLS
 * socket that the application starts on it later.
 *
 * A socket keeps the names of its ends, which costs less than six properties. On
 * Node and Deno it asks its handle first, and a TLS socket asks the handle of the
 * socket below.
 */
export function showOn(socket: object, ends: Ends): void {
  const handle: unknown = Reflect.get(socket, "_handle");
  if (typeof handle !== "object" || handle === null) {
    return showEnds(socket, ends);
  }
  if (IS_BUN) showOnUpgrades(handle, ends);
  const keepsNames = IS_BUN ? "_peername" in socket : "getpeername" in handle;
  if (!keepsNames) return showEnds(socket, ends);
  const peer = namesOf(ends.remoteAddr);
  const sock = namesOf(ends.localAddr);
  if (!IS_BUN) tell(handle, peer, sock);
  Reflect.set(socket, "_peername", peer);
  Reflect.set(socket, "_sockname", sock);
}

/** Returns the names of an end, as the system does. Empty without an address. */
function namesOf(end: Address): object {
  if ("path" in end) return {};
  const { hostname: address, port } = end;
  return { address, port, family: address.includes(":") ? "IPv6" : "IPv4" };
}

/** Properties of a handle with the names that it returns. */
const PEER = Symbol("proxy-protocol.peer");
const SOCK = Symbol("proxy-protocol.sock");

/** A handle that answers for the client. To define its methods costs 0.4 us more. */
interface Teller {
  [PEER]?: object;
  [SOCK]?: object;
  getpeername?: (into: object) => number;
  getsockname?: (into: object) => number;
}

/** Makes a handle return these names. */
function tell(handle: object, peer: object, sock: object): void {
  const teller: Teller = handle;
  teller[PEER] = peer;
  teller[SOCK] = sock;
  teller.getpeername = tellPeer;
  teller.getsockname = tellSock;
}

/** Answers like `getpeername` of a handle: fills an object and returns 0. */
function tellPeer(this: Teller, into: object): number {
  Object.assign(into, this[PEER]);
  return 0;
}

/** The same of `getsockname`. */
function tellSock(this: Teller, into: object): number {
  Object.assign(into, this[SOCK]);
  return 0;
}

/** Covers TLS on Bun, which begins with `upgradeTLS` of the handle and has a new handle. */
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
