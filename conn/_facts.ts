/** What is known of a connection, found from all that an application holds of it. */

import type { Address, DecodeOptions, ProxyInfo } from "../codec/mod.ts";
import type { Ends } from "./_ends.ts";

/** What is known of a connection: the rest of it after its header has arrived. */
export interface Facts {
  info: ProxyInfo | undefined;
  /** The peer: the proxy, or a direct client. */
  hop: Address;
  /** What the socket shows in place of its own ends. */
  shown: Ends | undefined;
  /** Whether nobody can say yet who the client is: its header has not arrived, or was rejected. */
  isAwaited: boolean;
  /** With `lazy`: the header when it has arrived, or why it was rejected. */
  ready?: Promise<ProxyInfo | undefined>;
  /** The socket, which is asked for its own end. */
  conn: object;
  /** Whether a socket of Node was handed over after its header, or without one. */
  isAdmitted?: boolean;
  /** Whether a relay has it. */
  isRelayed?: boolean;
  /** How the header of a socket of Node was decoded. */
  decode?: DecodeOptions;
}

/**
 * Where a socket of Node keeps them. A property is found through the proxies that
 * are the sockets of `node:http2`, and costs nothing in the end. An entry of a
 * `WeakMap` costs 1 us, and as much again when memory is collected.
 */
const FACTS = Symbol("proxy-protocol");

/** Those of objects that would show a property. */
const ASIDE = new WeakMap<object, Facts>();

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

/** Keeps them apart from the object: on Bun, where a property costs more. */
export function rememberAside(target: object, facts: Facts): void {
  ASIDE.set(target, facts);
}

/** What {@link rememberAside} has kept of this very object. */
export function factsAside(target: object): Facts | undefined {
  return ASIDE.get(target);
}

/** Forgets what {@link rememberAside} has kept. */
export function forgetAside(target: object): void {
  ASIDE.delete(target);
}

/** What is known of the socket behind a socket, a request, a stream or a session. */
export function factsOf(target: object): Facts | undefined {
  return findBehind(target, factsIn);
}

/** What is known of this very object, not of what it is built upon. */
export function factsIn(holder: Holder): Facts | undefined {
  return holder[FACTS] ?? ASIDE.get(holder);
}

/** Finds something in an object, or in what it is built upon. */
export function findBehind<T>(
  target: object,
  find: (candidate: object) => T | undefined,
  links: number = MOST_LINKS,
): T | undefined {
  const found = tryTo(() => find(target));
  if (found !== undefined || links === 0) return found;
  for (const link of LINKS) {
    const next = tryTo(() => follow(target, link));
    const behind = next && findBehind(next, find, links - 1);
    if (behind !== undefined) return behind;
  }
  return undefined;
}

function follow(target: object, link: string): object | undefined {
  const next: unknown = Reflect.get(target, link);
  return typeof next === "object" && next !== null ? next : undefined;
}

/** A socket or a session of `node:http2` throws when what it stands for is gone. */
function tryTo<T>(look: () => T | undefined): T | undefined {
  try {
    return look();
  } catch {
    return undefined;
  }
}
