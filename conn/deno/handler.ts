import type { Address, ProxyInfo } from "../../codec/mod.ts";
import { rememberAside } from "../_facts.ts";
import type { Client } from "./client.ts";
import type { Links } from "./links.ts";
import type { DenoHandler, DenoHandlerInfo } from "./types.ts";

/** Information on a request, for a handler. */
class HandlerInfo implements DenoHandlerInfo<Address> {
  readonly #native: Deno.ServeHandlerInfo;
  readonly remoteAddr: Address;
  readonly proxy: ProxyInfo | undefined;
  readonly hopAddr: Address;

  constructor(native: Deno.ServeHandlerInfo, client: Client) {
    this.#native = native;
    this.remoteAddr = client.shown.remoteAddr;
    this.proxy = client.info;
    this.hopAddr = client.hop;
  }

  /** Not before it is asked for: a rejection that nobody hears ends the process. */
  get completed(): Promise<void> {
    return this.#native.completed;
  }
}

/**
 * Makes the handler of the internal server: the user's one is called for a
 * request that came by one of the links, and for no other.
 */
export function handlerBehind(
  links: Links,
  handler: DenoHandler<Address>,
): Deno.ServeHandler<Deno.NetAddr> {
  return async (request, info) => {
    const link = links.linkAt(info.remoteAddr);
    if (link === undefined || !await link.isOpen()) {
      return new Response(null, { status: 403 });
    }
    const { client } = link;
    rememberAside(request, client); // for proxyInfo() and the like
    return handler(request, new HandlerInfo(info, client));
  };
}
