import type { Address, ProxyInfo } from "../codec/mod.ts";
import { sizeAfter } from "./_buffer_size.ts";
import { type Ends, shown } from "./_ends.ts";
import type { NativeConn } from "./native_types.ts";

/**
 * First chunk that is read for a consumer without a buffer of its own, in bytes. It
 * is held while the peer is silent: with 64 KiB, as in Deno's own streams, an idle
 * `pipeTo` holds 71 KiB instead of 22.
 */
const FIRST_CHUNK_SIZE = 4096;

/** By connections that have been handed out as they were given. */
const OWNERS = new WeakMap<object, ProxiedConn>();

/** Connections in use of which nobody can say yet who the client is. */
export const AWAITED: WeakSet<ProxiedConn> = new WeakSet();

/** Finds the accepted connection of what was handed out: itself, or its `raw`. */
export function connBehind(handedOut: object): ProxiedConn | undefined {
  return handedOut instanceof PayloadConn ? handedOut : OWNERS.get(handedOut);
}

/** Whether a connection has been accepted: it may show an address that was claimed. */
export function isAccepted(conn: object): boolean {
  return connBehind(conn) !== undefined;
}

/**
 * A connection after its header has been removed. It is a `ReadableStream` of
 * the payload, and also a `Deno.Conn`. Both ways of reading share one
 * connection, so use one at a time.
 *
 * The stream is a byte stream (BYOB works). Nothing is read from the network
 * until you read from the stream. A pending read without a buffer of its own, such
 * as that of `pipeTo`, holds 4 KiB at first, and up to 64 KiB when the chunks are
 * full. The end of the stream leaves the sending direction open, so you can still
 * reply. Call {@link close} when done. Cancelling the stream closes the connection.
 *
 * @example
 * ```ts ignore
 * import { proxied } from "@edgewire/proxy-protocol";
 *
 * const tcp = Deno.listen({ port: 8080 });
 * for await (const conn of proxied(tcp, { trust: ["10.0.0.0/8"] })) {
 *   console.log(conn.localAddr); // { transport: "tcp", hostname: "198.51.100.9", port: 443 }
 *   const buffer = new Uint8Array(1024);
 *   const count = await conn.read(buffer);
 *   console.log(count); // 5
 *   conn.close();
 * }
 * ```
 */
export interface ProxiedConn<
  C extends object = object,
  Defined extends object = object,
> extends ReadableStream<Uint8Array<ArrayBuffer>> {
  /**
   * The header; `undefined` if there is none, or with `lazy` before it has
   * arrived.
   */
  readonly info: ProxyInfo<Defined> | undefined;
  /** The peer: the proxy that connected to us, or a direct client. */
  readonly hopAddr: Address;
  /** The client; the real peer for LOCAL, UNKNOWN, UNSPEC and direct peers. */
  readonly remoteAddr: Address;
  /**
   * The address that the client connected to. The real local address if
   * `remoteAddr` is the real peer.
   */
  readonly localAddr: Address;
  /**
   * Resolves to the header when it has arrived and `verify` has accepted it.
   * Without `lazy`, it has already resolved. If the header is rejected, `ready`
   * rejects with a `ProxyProtocolError`, as reading does, and the connection is
   * closed.
   */
  readonly ready: Promise<ProxyInfo<Defined> | undefined>;
  /**
   * The runtime's own connection, positioned after the header, for functions
   * that accept no other object. It also shows the client. If an optional
   * header was absent, `raw` lacks the first bytes of the payload, so read from
   * this object instead.
   */
  readonly raw: C;
  /** This very stream. */
  readonly readable: this;
  /** The runtime's stream to the client. */
  readonly writable: WritableStream<Uint8Array>;
  /**
   * Reads at most `p.byteLength` bytes into `p`. Resolves to their number, or
   * to `null` at the end.
   */
  read(p: Uint8Array): Promise<number | null>;
  /** Writes a part of `p`. Resolves to the length of that part in bytes. */
  write(p: Uint8Array): Promise<number>;
  /** Closes both directions. Closing again does nothing. */
  close(): void;
  /** Ends the sending direction; reading continues. */
  closeWrite(): Promise<void>;
  /** Keeps the process alive while the connection is open. */
  ref(): void;
  /** Lets the process end while the connection is open. */
  unref(): void;
  /** Closes the connection at the end of a `using` block. */
  [Symbol.dispose](): void;
}

/** Header and addresses of a connection. */
export interface ConnFacts {
  /** The header; `undefined` if there is none. */
  readonly info: ProxyInfo | undefined;
  /** The peer: the proxy that connected to us, or a direct client. */
  readonly hopAddr: Address;
  /** The client. */
  readonly remoteAddr: Address;
  /** The address that the client connected to. */
  readonly localAddr: Address;
}

/** Makes a connection that was accepted into what its user gets. */
export class PayloadConn<C extends object = object>
  extends ReadableStream<Uint8Array<ArrayBuffer>>
  implements ProxiedConn<C> {
  #facts: ConnFacts;
  readonly #raw: C;
  readonly #native: NativeConn;
  #payload: Uint8Array;
  #chunkSize = FIRST_CHUNK_SIZE;
  #isClosed = false;
  /** Whether `raw` shows the client. */
  #isShown = false;

  /** Wraps a connection; `payload` is delivered first. */
  constructor(
    raw: C,
    native: NativeConn,
    facts: ConnFacts,
    payload: Uint8Array,
  ) {
    super({
      type: "bytes",
      pull: (controller) => this.#pull(controller),
      cancel: () => this.close(),
    });
    this.#raw = raw;
    this.#facts = facts;
    this.#native = native;
    this.#payload = payload;
  }

  get info(): ProxyInfo | undefined {
    return this.#facts.info;
  }

  get hopAddr(): Address {
    return this.#facts.hopAddr;
  }

  get remoteAddr(): Address {
    return this.#facts.remoteAddr;
  }

  get localAddr(): Address {
    return this.#facts.localAddr;
  }

  get ready(): Promise<ProxyInfo | undefined> {
    return Promise.resolve(this.info);
  }

  /** Sets what the header says, and the payload that arrived with it. */
  protected settle(facts: ConnFacts, payload: Uint8Array): void {
    this.#facts = facts;
    this.#payload = payload;
    this.#isShown = false;
  }

  /** Whether {@link close} was called. */
  protected get isClosed(): boolean {
    return this.#isClosed;
  }

  get raw(): C {
    // Not before: few ask for it, and it costs 1 us.
    if (!this.#isShown) {
      OWNERS.set(this.#raw, this).set(this.#native, this);
      if (this.remoteAddr !== this.hopAddr) showEnds(this.#native, this);
    }
    this.#isShown = true;
    return this.#raw;
  }

  async #pull(
    controller:
      | ReadableByteStreamController
      | ReadableStreamDefaultController<Uint8Array<ArrayBuffer>>,
  ): Promise<void> {
    const request = "byobRequest" in controller && controller.byobRequest;
    const view = request && request.view;
    const target = view
      ? new Uint8Array(view.buffer, view.byteOffset, view.byteLength)
      : new Uint8Array(this.#chunkSize);
    const count = await this.read(target);
    if (count === null) controller.close();
    if (request && view) request.respond(count ?? 0);
    else if (count !== null) {
      this.#chunkSize = sizeAfter(this.#chunkSize, count);
      controller.enqueue(target.subarray(0, count));
    }
  }

  read(p: Uint8Array): Promise<number | null> {
    const isPayloadLeft = this.#payload.length > 0 && p.length > 0;
    if (!isPayloadLeft || this.#isClosed) return this.#native.read(p);
    const taken = this.#payload.subarray(0, p.length);
    p.set(taken);
    this.#payload = this.#payload.subarray(taken.length);
    return Promise.resolve(taken.length);
  }

  write(p: Uint8Array): Promise<number> {
    return this.#native.write(p);
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    closeQuietly(this.#native);
  }

  /**
   * Closes both directions by a reset, so that the peer sees no orderly end, if
   * the connection that was accepted has a `reset()`. Otherwise the same as
   * {@link close}: connections of Deno have none.
   */
  reset(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    resetQuietly(this.#native);
  }

  closeWrite(): Promise<void> {
    return this.#native.closeWrite();
  }

  ref(): void {
    this.#native.ref();
  }

  unref(): void {
    this.#native.unref();
  }

  get readable(): this {
    return this;
  }

  get writable(): WritableStream<Uint8Array> {
    return this.#native.writable;
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** Closes a connection that may be closed already. */
export function closeQuietly(conn: Pick<NativeConn, "close">): void {
  try {
    conn.close();
  } catch {
    // It has been closed by its peer's end, its stream or its user.
  }
}

/** Closes a connection by a reset if it can; it may be closed already. */
export function resetQuietly(conn: Pick<NativeConn, "close" | "reset">): void {
  try {
    if (conn.reset === undefined) conn.close();
    else conn.reset();
  } catch {
    // It has been closed by its peer's end, its stream or its user.
  }
}

/** Makes the runtime's own object show the client, for calls that accept no other object. */
function showEnds(native: NativeConn, { remoteAddr, localAddr }: Ends): void {
  Object.defineProperty(native, "remoteAddr", shown(remoteAddr));
  Object.defineProperty(native, "localAddr", shown(localAddr));
}
