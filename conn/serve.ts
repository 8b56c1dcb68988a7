import { tell } from "./admission/tell.ts";
import type { ProxiedConn } from "./proxied_conn.ts";
import type { NativeAddress } from "./native_types.ts";

/** What {@link serve} takes connections from; a `ProxiedListener` is one. */
export interface ConnSource<C extends ProxiedConn, A = NativeAddress> {
  /** Connections until it is closed. */
  [Symbol.asyncIterator](): AsyncIterator<C>;
  /** Stops listening. */
  close(): void;
  /** Where it listens. */
  readonly addr: A;
}

/** Options of {@link serve}. */
export interface ServeOptions<C extends ProxiedConn = ProxiedConn> {
  /**
   * Called with what a handler has thrown. If `onError` throws, `console.error` is
   * called with that. The server continues in either case.
   *
   * By default `console.error` is called with it, until {@link Server.abort}: the
   * connections that it closes make their handlers throw.
   */
  onError?: (error: unknown, conn: C) => void;
  /** Aborts the server when it fires. */
  signal?: AbortSignal;
}

/**
 * A running server. {@link serve} makes one.
 *
 * @example
 * ```ts
 * import type { Server } from "@edgewire/proxy-protocol";
 *
 * async function drain(server: Server, ms: number) {
 *   const timer = setTimeout(() => server.abort(), ms);
 *   await server.shutdown();
 *   clearTimeout(timer);
 * }
 * ```
 */
export class Server<C extends ProxiedConn = ProxiedConn, A = NativeAddress> {
  readonly #listener: ConnSource<C, A>;
  readonly #conns = new Set<C>();
  readonly #running = new Set<Promise<void>>();
  #isAborted = false;
  readonly #finished: Promise<void>;
  /** Whether somebody has asked for {@link finished}, and so learns of a failure. */
  #isAwaited = false;

  /** Starts to serve; {@link serve} does it. */
  constructor(
    listener: ConnSource<C, A>,
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

  /**
   * Resolves when listening has ended and no connection is left. Rejects when the
   * listener has failed. If nobody has read this property by then, `console.error`
   * is called with the failure.
   */
  get finished(): Promise<void> {
    this.#isAwaited = true;
    return this.#finished;
  }

  /** Connections that are being served. */
  get active(): number {
    return this.#conns.size;
  }

  /** Where it listens. */
  get addr(): A {
    return this.#listener.addr;
  }

  async #run(
    handler: (conn: C) => unknown,
    onError: NonNullable<ServeOptions<C>["onError"]>,
  ): Promise<void> {
    try {
      for await (const conn of this.#listener) {
        const done = this.#handle(conn, handler, onError);
        this.#running.add(done);
        done.finally(() => this.#running.delete(done));
      }
    } finally {
      await Promise.all(this.#running);
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
      conn.close();
      this.#conns.delete(conn);
    }
  }

  /** Stops listening and waits until every connection has been served. */
  async shutdown(): Promise<void> {
    this.#listener.close();
    await this.finished;
  }

  #log(error: unknown): void {
    if (!this.#isAborted) console.error(error);
  }

  /** Stops listening and closes every connection. */
  async abort(): Promise<void> {
    this.#isAborted = true;
    this.#listener.close();
    for (const conn of this.#conns) conn.close();
    await this.finished;
  }

  /** Shuts down at the end of an `await using` block. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.shutdown();
  }
}

/**
 * Serves each connection of a listener with a handler. A connection is closed
 * when its handler's promise settles; a handler that throws ends only its own.
 *
 * @example
 * ```ts
 * import { proxied, serve } from "@edgewire/proxy-protocol";
 *
 * async function echo(tcp: Deno.TcpListener) {
 *   const server = serve(
 *     proxied(tcp, { trust: ["10.0.0.0/8"] }),
 *     (conn) => conn.pipeTo(conn.writable),
 *   );
 *   Deno.addSignalListener("SIGTERM", () => server.shutdown());
 *   await server.finished;
 * }
 * ```
 */
export function serve<C extends ProxiedConn, A = NativeAddress>(
  listener: ConnSource<C, A>,
  handler: (conn: C) => unknown,
  options: ServeOptions<C> = {},
): Server<C, A> {
  return new Server(listener, handler, options);
}
