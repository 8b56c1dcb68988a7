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
 * A listener whose connections have come through a proxy: a `Deno.Listener` of
 * {@link ProxiedConn}. {@link proxied} makes one.
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
  /** What has been let in and refused so far; the object is live. */
  readonly stats: ListenerStats;
  /** Where it listens. */
  readonly addr: A;
  /**
   * Waits for the next connection whose header is in. While someone waits,
   * connections are taken from the system and their headers read beside each
   * other; a silent peer delays nobody.
   */
  accept(): Promise<ProxiedConn<C, Defined>>;
  /**
   * Stops listening, closes the connections whose header is pending and those
   * that nobody has taken yet. Closing again does nothing.
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

/** Lets the connections of a listener in, one by one, once their header has come. */
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

  /** Takes connections from the system as long as someone waits for one. */
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
    this.#gate.waits.abort(); // the caller's signal may not have come to them yet
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
 * Wraps a listener so that it yields connections behind their PROXY headers,
 * each with the client's address (section 2): a drop-in for what
 * `Deno.listen`, `Deno.listenTls` (the header inside TLS) and UNIX listeners
 * give.
 *
 * Refused connections are closed, counted in `stats` and told to `onReject`;
 * nothing that a peer does ends the loop. Failures of the system, such as too
 * many open files, are told there too (code `io`) and accepting goes on after
 * a pause.
 *
 * @throws {TypeError} for a wrong or unknown option, with its name; for what is no
 * listener, or wrapped already.
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
