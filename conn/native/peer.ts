import { EMPTY } from "../../codec/internal.ts";
import {
  type Address,
  type ProxyInfo,
  ProxyProtocolError,
} from "../../codec/mod.ts";
import { type Ends, toAddress } from "../_ends.ts";
import { Admission, type Peer } from "../admission/admission.ts";
import type { Gate } from "../admission/gate.ts";
import type { Header } from "../admission/header_reader.ts";
import { isPeerGone, toRefusal } from "../admission/refusal.ts";
import type { NativeConn } from "../native_types.ts";
import {
  closeQuietly,
  type ConnFacts,
  isAccepted,
  PayloadConn,
  type ProxiedConn,
} from "../proxied_conn.ts";
import { DuplexConn } from "./duplex_conn.ts";
import { LazyConn } from "./lazy_conn.ts";

/**
 * Drives a connection that is read by calls: it reads exactly the header, never
 * more than it still needs.
 */
export class NativePeer<C extends object> implements Peer<ProxiedConn<C>> {
  readonly #raw: C;
  readonly #native: NativeConn;
  readonly #admission: Admission<ProxiedConn<C>>;
  readonly #deliver: (conn: ProxiedConn<C>) => void;
  readonly #onRefused: ((error: ProxyProtocolError) => void) | undefined;
  #header: Header | undefined;
  #conn: ProxiedConn<C> | undefined;
  #lazy: LazyConn<C> | undefined;

  /**
   * `raw` is the connection to its user. `deliver` is called with a connection that is handed over,
   * `onRefused` with the reason for a rejected one.
   *
   * @throws {TypeError} for a connection that has been accepted.
   */
  constructor(
    native: NativeConn,
    raw: C,
    hop: Address,
    gate: Gate<ProxiedConn<C>>,
    deliver: (conn: ProxiedConn<C>) => void,
    onRefused?: (error: ProxyProtocolError) => void,
  ) {
    if (isAccepted(raw)) { // nobody must be trusted by an address that was claimed
      throw new TypeError("Cannot accept the connection: accepted already");
    }
    this.#native = native;
    this.#raw = raw;
    this.#deliver = deliver;
    this.#onRefused = onRefused;
    this.#admission = new Admission(gate, hop, this);
  }

  /** Begins; the deadline is that of the options unless some of it has passed. */
  begin(timeout?: number): void {
    if (this.#admission.begin(timeout)) this.#read();
  }

  #read(): void {
    try {
      this.#native.read(this.#admission.room).then(this.#took, this.#failed);
    } catch (error) { // of a connection that is not the runtime's own
      this.#failed(error);
    }
  }

  readonly #took = (count: number | null): void => {
    const admission = this.#admission;
    const header = count === null ? admission.end() : admission.took(count);
    if (header !== undefined) admission.settle(header);
    else if (admission.wantsBytes) this.#read();
  };

  readonly #failed = (error: unknown): void => {
    this.#admission.fail(this.#lazy?.isClosedByUser ? closedError() : error);
  };

  /** What `verify` is called with: with `lazy` not what was handed over, which shows no claim yet. */
  get conn(): ProxiedConn<C> {
    return this.#conn ??= this.#connOf(this.#factsOf(undefined, undefined));
  }

  get failure(): unknown {
    return this.#native instanceof DuplexConn
      ? this.#native.failure
      : undefined;
  }

  /** Writes no bytes, which fails after a reset; on Deno it takes 1.4 us. */
  async probe(): Promise<unknown> {
    if (this.#native instanceof DuplexConn) return undefined; // it knows
    try {
      await this.#native.write(EMPTY);
    } catch (error) {
      // A UNIX socket whose peer has closed it accepts no bytes, but may still have some.
      if ("hostname" in this.#admission.hop && isPeerGone(error)) return error;
    }
    return undefined;
  }

  handOver(): void {
    const facts = this.#factsOf(undefined, undefined);
    this.#lazy = new LazyConn(this.#raw, this.#native, facts);
    this.#deliver(this.#lazy);
  }

  show(header: Header, ends: Ends | undefined): void {
    this.#header = header;
    this.#conn = this.#connOf(this.#factsOf(header.info, ends));
  }

  #connOf(facts: ConnFacts): ProxiedConn<C> {
    const payload = this.#lazy ? EMPTY : this.#header?.payload ?? EMPTY;
    return new PayloadConn(this.#raw, this.#native, facts, payload);
  }

  #factsOf(info: ProxyInfo | undefined, ends: Ends | undefined): ConnFacts {
    const { hop } = this.#admission;
    return {
      info,
      hopAddr: hop,
      remoteAddr: ends?.remoteAddr ?? hop,
      localAddr: ends?.localAddr ?? this.ownEnd(),
    };
  }

  ownEnd(): Address {
    return toAddress(this.#native.localAddr);
  }

  admit(): void {
    const { conn } = this;
    if (this.#lazy === undefined) return this.#deliver(conn);
    this.#lazy.arrive(conn, this.#header?.payload ?? EMPTY);
  }

  refuse(error: ProxyProtocolError): void {
    closeQuietly(this.#native);
    if (this.#lazy === undefined) this.#onRefused?.(error);
    else this.#lazy.fail(error);
  }
}

/**
 * The peer of a connection; one that does not say it is closed.
 *
 * @throws {ProxyProtocolError} code `io`.
 */
export function hopOf(native: NativeConn): Address {
  try {
    return toAddress(native.remoteAddr);
  } catch (error) { // of a connection that is not the runtime's own
    closeQuietly(native);
    throw toRefusal(error, undefined, EMPTY);
  }
}

/** Its user has closed a connection whose header had not come yet. */
function closedError(): ProxyProtocolError {
  return new ProxyProtocolError(
    "Cannot read PROXY header: the connection was closed before it came",
    "aborted",
  );
}
