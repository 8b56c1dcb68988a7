import { EMPTY } from "../codec/internal.ts";
import type { Address, DefinedTlvs, TlvReader } from "../codec/mod.ts";
import { checkListener } from "./_misuse.ts";
import { Gate } from "./admission/gate.ts";
import { readOptions } from "./admission/policy.ts";
import { isPeerGone, toRefusal } from "./admission/refusal.ts";
import { Pauses } from "./native/pauses.ts";
import { hopOf, NativePeer } from "./native/peer.ts";
import type {
  NativeAddress,
  NativeConn,
  NativeListener,
} from "./native_types.ts";
import { closeQuietly, type ProxiedConn } from "./proxied_conn.ts";
import type { ListenerOptions, ListenerStats } from "./types.ts";

/**
 * A listener whose connections show the client behind a proxy: a `Deno.Listener`
 * of {@link ProxiedConn}. {@link proxied} makes one.
 *
 * @example
 * ```ts ignore
 * import { proxied } from "@edgewire/proxy-protocol";
 *
 * const tcp = Deno.listen({ port: 8080 });
 * const listener = proxied(tcp, { trust: ["10.0.0.0/8"] });
 * const conn = await listener.accept();
 * console.log(listener.stats.accepted, listener.stats.rejected); // 1 {}
 * conn.close();
 * listener.close();
 * ```
 */
export interface ProxiedListener<
  C extends NativeConn = NativeConn,
  A = NativeAddress,
  Defined extends object = object,
> {
  /** Counts of the connections accepted and rejected so far; the object is live. */
  readonly stats: ListenerStats;
  /** Where it listens. */
  readonly addr: A;
  /**
   * Waits for the next connection whose header has arrived. While a caller waits,
   * the listener accepts connections from the system and reads their headers
   * concurrently, so a silent peer delays nobody.
   */
  accept(): Promise<ProxiedConn<C, Defined>>;
  /**
   * Stops listening. Closes the connections whose header is pending and those that
   * no caller has received. Closing again does nothing.
   */
  close(): void;
  /** Keeps the process alive. */
  ref(): void;
  /** Lets the process end. */
  unref(): void;
  /** Connections until the listener is closed; leaving the loop closes it. */
  [Symbol.asyncIterator](): AsyncGenerator<ProxiedConn<C, Defined>, void>;
  /** Closes the listener at the end of a `using` block. */
  [Symbol.dispose](): void;
}

/** Lets the connections of a listener in, one by one, once their header has arrived. */
class HeaderListener<C extends NativeConn, A> implements ProxiedListener<C, A> {
  readonly #listener: NativeListener<C, A>;
  readonly #gate: Gate<ProxiedConn<C>>;
  readonly #closing = new AbortController();
  readonly #pauses = new Pauses(this.#closing.signal);
  readonly #ready: ProxiedConn<C>[] = [];
  readonly #waiting: PromiseWithResolvers<ProxiedConn<C>>[] = [];
  #isPumping = false;

  /** Wraps a listener; throws like {@link proxied}. */
  constructor(listener: NativeListener<C, A>, options: ListenerOptions) {
    const signal = options?.signal;
    const closing = this.#closing.signal;
    this.#listener = listener;
    const policy = readOptions<ProxiedConn<C>>(options);
    const either = signal ? AbortSignal.any([signal, closing]) : closing;
    this.#gate = new Gate({ ...policy, signal: either }, false);
    if (signal?.aborted) this.close();
    signal?.addEventListener("abort", () => this.close(), {
      signal: closing,
    });
  }

  get stats(): ListenerStats {
    return this.#gate.stats;
  }

  get addr(): A {
    return this.#listener.addr;
  }

  accept(): Promise<ProxiedConn<C>> {
    const ready = this.#ready.shift();
    if (ready !== undefined) return Promise.resolve(ready);
    const waiting = Promise.withResolvers<ProxiedConn<C>>();
    this.#waiting.push(waiting);
    this.#pump();
    return waiting.promise;
  }

  /** Accepts connections from the system as long as a caller waits for one. */
  async #pump(): Promise<void> {
    if (this.#isPumping) return;
    this.#isPumping = true;
    while (this.#waiting.length > 0) {
      try {
        this.#admit(await this.#listener.accept());
        this.#pauses.reset();
      } catch (error) {
        if (this.#closing.signal.aborted || isClosed(error)) {
          this.close();
          for (const { reject } of this.#waiting.splice(0)) reject(error);
          break;
        }
        this.#gate.report(toRefusal(error, undefined, EMPTY));
        // Deno throws so for a peer that has reset before it was accepted:
        // pausing would let anyone hold the others up.
        if (isPeerGone(error)) continue;
        await this.#pauses.take();
      }
    }
    this.#isPumping = false;
  }

  #admit(native: C): void {
    const gate = this.#gate;
    let hop: Address;
    try {
      hop = hopOf(native);
    } catch (error) {
      return gate.report(toRefusal(error));
    }
    const deliver = (conn: ProxiedConn<C>) => this.#deliver(conn);
    new NativePeer(native, native, hop, gate, deliver).begin();
  }

  #deliver(conn: ProxiedConn<C>): void {
    if (this.#closing.signal.aborted) return conn.close();
    const waiting = this.#waiting.shift();
    if (waiting !== undefined) waiting.resolve(conn);
    else this.#ready.push(conn);
  }

  close(): void {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort();
    this.#gate.waits.abort(); // the caller's signal may reach them later
    this.#gate.waits.close();
    closeQuietly(this.#listener);
    for (const conn of this.#ready.splice(0)) conn.close();
  }

  ref(): void {
    this.#listener.ref();
  }

  unref(): void {
    this.#listener.unref();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<ProxiedConn<C>, void> {
    try {
      for (;;) yield await this.accept();
    } catch (error) {
      if (!this.#closing.signal.aborted && !isClosed(error)) throw error;
    } finally {
      this.close();
    }
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/**
 * Wraps a listener so that it yields each connection after its PROXY header, with
 * the client's address (section 2). It replaces the listener of `Deno.listen`,
 * `Deno.listenTls` (the header is inside TLS) or a UNIX socket.
 *
 * A rejected connection is closed and counted in `stats`, and `onReject` is
 * called. Nothing that a peer does ends the loop. A failure of the system, such as
 * too many open files, also calls `onReject` (code `io`), and accepting continues
 * after a pause.
 *
 * @throws {TypeError} for a wrong or unknown option, with its name, for a value
 * that is not a listener, and for a listener that is wrapped already.
 * @throws {RangeError} for an option out of its range, with its name.
 *
 * @example
 * ```ts ignore
 * import { proxied } from "@edgewire/proxy-protocol";
 *
 * const listener = proxied(Deno.listen({ port: 8080 }), {
 *   trust: ["10.0.0.0/8"],
 *   onReject: (error) => console.warn(error.code, error.hop, error.message),
 * });
 * for await (const conn of listener) {
 *   console.log(conn.remoteAddr); // { transport: "tcp", hostname: "192.0.2.7", port: 51234 }
 *   conn.pipeTo(conn.writable).catch(console.error);
 * }
 * ```
 */
export function proxied<C extends NativeConn, A, R extends TlvReader = never>(
  listener: NativeListener<C, A>,
  options: ListenerOptions<ProxiedConn<object, DefinedTlvs<R>>, R>,
): ProxiedListener<C, A, DefinedTlvs<R>>;
export function proxied<C extends NativeConn, A>(
  listener: NativeListener<C, A>,
  options: ListenerOptions,
): ProxiedListener<C, A> {
  checkListener(listener);
  if (listener instanceof HeaderListener) {
    throw new TypeError("Cannot wrap the listener: wrapped already");
  }
  return new HeaderListener(listener, options);
}

/** Errors by which runtimes say that a listener is closed. */
function isClosed(error: unknown): boolean {
  return error instanceof Error &&
    (error.name === "BadResource" || error.name === "Interrupted");
}
