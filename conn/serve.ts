import { isPeerGone } from "./admission/refusal.ts";
import { tell } from "./admission/tell.ts";
import type { NativeAddress } from "./native_types.ts";
import { closeQuietly, type ProxiedConn } from "./proxied_conn.ts";

/** Options of {@link serve}. */
export interface ServeOptions<C = ProxiedConn> {
  /**
   * Called with the error that a handler has thrown. If `onError` throws,
   * `console.error` is called with that error. The server continues in either
   * case.
   *
   * By default `console.error` is called with the error, but not after
   * {@link Server.abort}, because closing the connections makes their handlers
   * throw.
   */
  onError?: (error: unknown, conn: C) => void;
  /** Aborts the server when it fires. */
  signal?: AbortSignal;
}

/**
 * A running server. {@link serve} makes one.
 *
 * @example
 * ```ts ignore
 * import { proxied, serve } from "@edgewire/proxy-protocol";
 *
 * const tcp = Deno.listen({ port: 8080 });
 * const server = serve(
 *   proxied(tcp, { trust: ["10.0.0.0/8"] }),
 *   (conn) => conn.pipeTo(conn.writable),
 * );
 * Deno.addSignalListener("SIGTERM", async () => {
 *   const timer = setTimeout(() => server.abort(), 10_000);
 *   await server.shutdown();
 *   clearTimeout(timer);
 * });
 * console.log(server.active); // 0
 * ```
 */
export interface Server<A = NativeAddress> {
  /** Where it listens. */
  readonly addr: A;
  /** Number of connections that are being served. */
  readonly active: number;
  /**
   * Resolves when listening has ended and no connection is left. Rejects when the
   * listener has failed. If nobody has read this property by then, `console.error`
   * is called with the failure.
   */
  readonly finished: Promise<void>;
  /** Stops listening and waits until every connection has been served. */
  shutdown(): Promise<void>;
  /** Stops listening and closes every connection. */
  abort(): Promise<void>;
  /** Shuts down at the end of an `await using` block. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** A listener, of which only this much is used. */
type Listener<C, A> = AsyncIterable<C> & { close(): void; readonly addr: A };

/** Serves the connections of a listener. */
class ConnServer<C extends { close(): void }, A> implements Server<A> {
  readonly #listener: Listener<C, A>;
  readonly #conns = new Set<C>();
  readonly #running = new Set<Promise<void>>();
  #isAborted = false;
  readonly #finished: Promise<void>;
  /** Whether somebody has asked for `finished`, and so learns of a failure. */
  #isAwaited = false;

  constructor(
    listener: Listener<C, A>,
    handler: (conn: C) => unknown,
    { onError = (error) => this.#log(error), signal }: ServeOptions<C>,
  ) {
    this.#listener = listener;
    // A failure of the listener is in `finished`.
    const onAbort = () => void this.abort().catch(() => {});
    signal?.addEventListener("abort", onAbort, { once: true });
    this.#finished = this.#run(handler, onError).finally(() =>
      signal?.removeEventListener("abort", onAbort)
    );
    // A failure must not end the process.
    this.#finished.catch((error) => {
      if (!this.#isAwaited) this.#log(error);
    });
    if (signal?.aborted) onAbort();
  }

  get finished(): Promise<void> {
    this.#isAwaited = true;
    return this.#finished;
  }

  get active(): number {
    return this.#conns.size;
  }

  get addr(): A {
    return this.#listener.addr;
  }

  async #run(
    handler: (conn: C) => unknown,
    onError: NonNullable<ServeOptions<C>["onError"]>,
  ): Promise<void> {
    try {
      await this.#acceptAll((conn) => {
        const done = this.#handle(conn, handler, onError);
        this.#running.add(done);
        done.finally(() => this.#running.delete(done));
      });
    } finally {
      await Promise.all(this.#running);
    }
  }

  /** A listener of Deno throws for a peer that has reset before it was accepted. */
  async #acceptAll(take: (conn: C) => void): Promise<void> {
    for (;;) {
      try {
        for await (const conn of this.#listener) take(conn);
        return;
      } catch (error) {
        if (!isPeerGone(error)) throw error;
      }
    }
  }

  async #handle(
    conn: C,
    handler: (conn: C) => unknown,
    onError: NonNullable<ServeOptions<C>["onError"]>,
  ): Promise<void> {
    this.#conns.add(conn);
    try {
      await handler(conn);
    } catch (error) {
      tell("onError", () => onError(error, conn));
    } finally {
      closeQuietly(conn);
      this.#conns.delete(conn);
    }
  }

  async shutdown(): Promise<void> {
    closeQuietly(this.#listener);
    await this.finished;
  }

  #log(error: unknown): void {
    if (!this.#isAborted) console.error(error);
  }

  async abort(): Promise<void> {
    this.#isAborted = true;
    closeQuietly(this.#listener);
    for (const conn of this.#conns) closeQuietly(conn);
    await this.finished;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.shutdown();
  }
}

/**
 * Serves each connection of a listener with a handler. A connection is closed
 * when its handler's promise settles. A handler that throws ends only its own
 * connection.
 *
 * The listener may also be a plain one, such as a `Deno.Listener`. The handler then
 * gets its connections as they are, and no header is read. A failure of a plain
 * listener, for example if no descriptors are left, ends the server.
 *
 * @example
 * ```ts ignore
 * import { proxied, serve } from "@edgewire/proxy-protocol";
 *
 * const tcp = Deno.listen({ port: 8080 });
 * const listener = proxied(tcp, { trust: ["10.0.0.0/8"] });
 * const server = serve(listener, async (conn) => {
 *   console.log(conn.remoteAddr); // { transport: "tcp", hostname: "192.0.2.7", port: 51234 }
 *   await conn.pipeTo(conn.writable);
 * });
 * Deno.addSignalListener("SIGTERM", () => server.shutdown());
 * await server.finished;
 * ```
 */
export function serve<C extends { close(): void }, A = NativeAddress>(
  listener: AsyncIterable<C> & { close(): void; readonly addr: A },
  handler: (conn: C) => unknown,
  options: ServeOptions<C> = {},
): Server<A> {
  return new ConnServer(listener, handler, options);
}
