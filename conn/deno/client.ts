import type { Address, ProxyInfo } from "../../codec/mod.ts";

/** Whom the requests of a connection are from. */
export interface Client {
  /** The header; `undefined` for a connection without one. */
  readonly info: ProxyInfo | undefined;
  /** The peer of the public listener. */
  readonly hopAddr: Address;
  /** The client. */
  readonly remoteAddr: Address;
}

/** By request, for as long as its handler keeps it. */
const CLIENTS = new WeakMap<object, Client>();

/** Remembers whom a request is from. */
export function remember(request: Request, client: Client): void {
  CLIENTS.set(request, client);
}

/** Finds whom a request is from. */
export function clientOf(request: object): Client | undefined {
  return CLIENTS.get(request);
}
