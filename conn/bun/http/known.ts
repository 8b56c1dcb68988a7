import type { Address, ProxyInfo } from "../../../codec/mod.ts";

/** What is known of the connection that a request or a WebSocket came by. */
export interface Known {
  /** The header. */
  readonly info: ProxyInfo | undefined;
  /** The peer: the proxy, or a direct client. */
  readonly hop: Address;
  /** The client. */
  readonly client: Address;
}

/**
 * Where it is kept: a property costs less than a `WeakMap`. In the registry of
 * symbols, because `--hot` loads this file again while the server goes on.
 */
const KNOWN: unique symbol = Symbol.for("@edgewire/proxy-protocol/bun known");

interface Holder {
  [KNOWN]?: Known;
}

/** Keeps what is known of a request or a WebSocket, as long as that lives. */
export function remember(target: object, known: Known): void {
  const holder: Holder = target;
  holder[KNOWN] = known;
}

/** What is known of a request or a WebSocket. */
export function knownOf(target: object): Known | undefined {
  const holder: Holder = target;
  return holder[KNOWN];
}
