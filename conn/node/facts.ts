import type { Address, DecodeOptions, ProxyInfo } from "../../codec/mod.ts";
import type { Ends } from "../_ends.ts";
import type { ExportedInfo } from "./types.ts";

/** What is known of a socket: the rest of it once its header has come. */
export interface Facts {
  /** Whether its application may rely on the rest: the header has come, if there is one. */
  isAdmitted: boolean;
  info: ProxyInfo | undefined;
  /** The peer: the proxy, or a direct client. */
  hop: Address;
  /** What the socket shows in place of its own ends. */
  shown: Ends | undefined;
  /** With `lazy`: the header when it has come, or why it was rejected. */
  ready?: Promise<ProxyInfo | undefined>;
  /** How the header was decoded. */
  decode: DecodeOptions;
  /** Once it has been exported: nothing is read from the socket here any more. */
  exported?: ExportedInfo;
}

/**
 * Where they are kept. A property is found through the proxies that are the
 * sockets of `node:http2`, and costs nothing in the end: entries of a `WeakMap`
 * cost 1 us and as much again when memory is collected.
 */
const FACTS = Symbol("proxy-protocol");

/**
 * Where a socket is found from what an application holds. A `TLSSocket` has
 * what it is built upon in `_parent`, on all runtimes.
 */
const LINKS = ["socket", "session", "stream", "_parent"];

/** From a request of `node:http2` by its stream and session to a socket. */
const MOST_LINKS = 4;

/** Keeps what is known of a socket, or of what comes from one, as long as it lives. */
export function remember(target: object, facts: Facts): void {
  const holder: Holder = target;
  holder[FACTS] = facts;
}

interface Holder {
  [FACTS]?: Facts;
}

/** What is known of the socket behind a socket, a request, a stream or a session. */
export function factsOf(
  target: object,
  links: number = MOST_LINKS,
): Facts | undefined {
  const known = factsIn(target);
  if (known !== undefined || links === 0) return known;
  for (const link of LINKS) {
    const next = follow(target, link);
    const facts = next && factsOf(next, links - 1);
    if (facts !== undefined) return facts;
  }
  return undefined;
}

function factsIn(holder: Holder): Facts | undefined {
  try {
    return holder[FACTS];
  } catch {
    return undefined; // a socket of node:http2 whose session is gone
  }
}

function follow(target: object, link: string): object | undefined {
  try {
    const next: unknown = Reflect.get(target, link);
    return typeof next === "object" && next !== null ? next : undefined;
  } catch {
    return undefined; // a session of node:http2 whose socket is gone
  }
}
