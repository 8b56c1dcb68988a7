import { EMPTY } from "../../codec/internal.ts";
import type { ProxyInfo, ProxyProtocolError } from "../../codec/mod.ts";
import type { NativeConn } from "../native_types.ts";
import { AWAITED, type ConnFacts, PayloadConn } from "../proxied_conn.ts";

/** A connection in use before its header has arrived: writing works, reading waits. */
export class LazyConn<C extends object> extends PayloadConn<C> {
  readonly #ready = Promise.withResolvers<ProxyInfo | undefined>();

  /** `until` are its facts until the header has arrived. */
  constructor(raw: C, native: NativeConn, until: ConnFacts) {
    super(raw, native, until, EMPTY);
    AWAITED.add(this);
    this.#ready.promise.catch(() => {}); // reading and `ready` pass it on
  }

  /** Whether its user has closed it. */
  get isClosedByUser(): boolean {
    return this.isClosed;
  }

  /** Sets the facts of the header, and the payload that arrived with it. */
  arrive(facts: ConnFacts, payload: Uint8Array): void {
    this.settle(facts, payload);
    AWAITED.delete(this);
    this.#ready.resolve(facts.info);
  }

  /** Rejects `ready` with the reason why there is no header. */
  fail(error: ProxyProtocolError): void {
    this.#ready.reject(error);
  }

  override get ready(): Promise<ProxyInfo | undefined> {
    return this.#ready.promise;
  }

  override async read(p: Uint8Array): Promise<number | null> {
    await this.#ready.promise;
    return await super.read(p);
  }
}
