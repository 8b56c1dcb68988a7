import { EMPTY } from "../../codec/internal.ts";
import type { ProxyInfo } from "../../codec/mod.ts";
import { type ConnFacts, ProxiedConn } from "../proxied_conn.ts";
import type { NativeConn } from "../types.ts";

/** What a header settles: who is at the ends, and what has come behind it. */
export interface Settled {
  facts: ConnFacts;
  rest: Uint8Array;
}

/** How a header is waited for after its connection has been handed over. */
export interface HeaderWait {
  read(): Promise<Settled>;
  verify(facts: ConnFacts): Promise<void>;
  /** Closes the connection; the error that says why. */
  refuse(error: unknown, isClosed: boolean): Error;
}

/** A connection that is in use before its header has come: it can be written to, reading waits. */
export class LazyConn<C> extends ProxiedConn<C> {
  readonly #ready: Promise<ProxyInfo | undefined>;

  /** `until` are its facts until the header is in. */
  constructor(raw: C, native: NativeConn, until: ConnFacts, wait: HeaderWait) {
    super(raw, native, until, EMPTY);
    this.#ready = this.#wait(wait);
    this.#ready.catch(() => {}); // whoever reads or asks is told
  }

  async #wait(
    { read, verify, refuse }: HeaderWait,
  ): Promise<ProxyInfo | undefined> {
    try {
      const { facts, rest } = await read();
      await verify(facts); // until then it is not to be believed
      this.settle(facts, rest);
      return facts.info;
    } catch (error) {
      throw refuse(error, this.isClosed);
    }
  }

  override get ready(): Promise<ProxyInfo | undefined> {
    return this.#ready;
  }

  override async read(p: Uint8Array): Promise<number | null> {
    await this.#ready;
    return await super.read(p);
  }
}
