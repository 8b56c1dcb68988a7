import { callsOfDeno } from "./calls.ts";
import {
  type Address,
  ProxyProtocolError,
  type TlvReader,
} from "../../codec/mod.ts";
import { toAddress } from "../_ends.ts";
import { tell } from "../admission/tell.ts";
import { proxied, type ProxiedListener } from "../proxied.ts";
import type { ListenerStats } from "../types.ts";
import { Barrier } from "./barrier.ts";
import { handlerBehind } from "./handler.ts";
import { type InnerServer, serveInside } from "./inner_server.ts";
import type { FrontConn } from "./client.ts";
import { Links } from "./links.ts";
import { LOOPBACK } from "./loopback.ts";
import { mayClientsNameThemselves } from "./named_clients.ts";
import type { ServeOptions } from "./options.ts";
import { listenOutside } from "./outer_listener.ts";

/**
 * A public listener behind the PROXY protocol, and an internal `Deno.serve` that
 * answers its requests. `Deno.serve` accepts no existing connection, so the bytes
 * after the header are copied to it.
 */
export class HttpFront {
  readonly #options: ServeOptions;
  readonly #links = new Links();
  readonly #listener: ProxiedListener<Deno.TcpConn | Deno.UnixConn, Deno.Addr>;
  readonly #inner: InnerServer;
  readonly #barrier: Barrier;
  readonly #aborting = new AbortController();
  readonly #dials = new Set<Promise<Deno.TcpConn>>();
  readonly #running = new Set<Promise<void>>();
  readonly #aborted = Promise.withResolvers<void>();
  readonly #onAbort = () => {
    this.#listener.close();
    this.#aborted.resolve();
  };
  /** Resolves when both have ended and no connection is left. */
  readonly finished: Promise<void>;

  /** Listens, and begins to serve. */
  constructor(options: ServeOptions) {
    const { outer, proxy, handler, signal } = options;
    this.#options = options;
    const native = listenOutside(outer);
    try {
      this.#listener = proxied<
        Deno.TcpConn | Deno.UnixConn,
        Deno.Addr,
        TlvReader
      >(native, proxy);
      this.#inner = serveInside(
        options,
        this.#aborting.signal,
        handlerBehind(this.#links, handler),
      );
    } catch (error) {
      native.close();
      throw error;
    }
    this.#barrier = new Barrier(this.#inner.addr.port);
    const stop = () => this.#listener.close();
    this.#inner.finished.then(stop, stop); // nobody may be sent to its port afterwards
    signal?.addEventListener("abort", this.#onAbort, { once: true });
    if (signal?.aborted) this.#onAbort();
    this.finished = this.#run().finally(() =>
      signal?.removeEventListener("abort", this.#onAbort)
    );
  }

  get addr(): Address {
    return toAddress(this.#listener.addr);
  }

  get stats(): ListenerStats {
    return this.#listener.stats;
  }

  ref(): void {
    this.#listener.ref();
    this.#inner.ref();
    this.#links.ref();
  }

  unref(): void {
    this.#listener.unref();
    this.#inner.unref();
    this.#links.unref();
  }

  /** Stops listening, and waits until what has begun is answered. */
  async shutdown(): Promise<void> {
    this.#listener.close();
    await this.finished;
  }

  async #run(): Promise<void> {
    try {
      await checkHeaders();
      for await (const conn of this.#listener) this.#serve(conn);
    } finally {
      this.#listener.close();
      await this.#dialled();
      await this.#end();
      await Promise.all(this.#running);
    }
  }

  /** Ends the internal server: when it has answered, or when the signal fires. */
  async #end(): Promise<void> {
    const { signal } = this.#options;
    if (signal?.aborted) this.#aborting.abort();
    // Aborting this later ends the process: Deno closes a resource that it has not.
    else await Promise.race([this.#inner.shutdown(), this.#aborted.promise]);
    if (signal?.aborted) this.#links.abort();
    else await this.#inner.finished;
  }

  /**
   * Waits until nobody connects to the internal server: as soon as it has ended,
   * another process may have its port.
   */
  async #dialled(): Promise<void> {
    await Promise.allSettled(this.#dials);
  }

  #serve(conn: FrontConn): void {
    const running = this.#relay(conn);
    this.#running.add(running);
    running.finally(() => this.#running.delete(running));
  }

  /** Serves a connection; never rejects. */
  async #relay(conn: FrontConn): Promise<void> {
    let target: Deno.TcpConn;
    try {
      target = await this.#dial();
    } catch (error) {
      conn.close();
      return this.#report(error, conn.hopAddr);
    }
    sendAtOnce(target);
    sendAtOnce(conn.raw);
    await this.#links.run(conn, target);
  }

  async #dial(): Promise<Deno.TcpConn> {
    const dial = this.#open();
    this.#dials.add(dial);
    try {
      return await dial;
    } finally {
      this.#dials.delete(dial);
    }
  }

  /** Connects to the internal server, by a port that no one else's request is left of. */
  async #open(): Promise<Deno.TcpConn> {
    const target = await callsOfDeno().connect({
      hostname: LOOPBACK,
      port: this.#inner.addr.port,
      autoSelectFamily: false, // which takes longer than all else
    });
    try {
      await this.#barrier.pass();
    } catch (error) {
      target.close();
      throw error;
    }
    return target;
  }

  /** Counts and reports a client that cannot be served, as for want of ports. */
  #report(cause: unknown, hop: Address): void {
    const { rejected } = this.stats;
    rejected.io = (rejected.io ?? 0) + 1;
    const reason = cause instanceof Error ? cause.message : String(cause);
    const error = new ProxyProtocolError(
      `Cannot serve the connection: no connection to the internal server: ${reason}`,
      "io",
      { hop, cause },
    );
    tell("onReject", () => this.#options.proxy.onReject?.(error));
  }
}

/**
 * Checks that clients cannot name their own address.
 *
 * @throws {Error} if they can.
 */
async function checkHeaders(): Promise<void> {
  if (!await mayClientsNameThemselves()) return;
  throw new Error(
    "Cannot serve: with DENO_TRUST_PROXY_HEADERS=1 clients name their own address in x-deno-client-address; unset it",
  );
}

/** Sends without waiting for more, as `Deno.serve` does. */
function sendAtOnce(conn: Deno.TcpConn | Deno.UnixConn): void {
  try {
    if ("setNoDelay" in conn) conn.setNoDelay();
  } catch {
    // The connection is closed. The next read reports it.
  }
}
