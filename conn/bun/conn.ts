import type { Address, ProxyInfo } from "../../codec/mod.ts";
import type { Ends } from "../_addresses.ts";
import type { BunHandlers, BunPayload, BunSocket } from "./types.ts";
import { type Header, HeaderReader } from "../admission/header_reader.ts";
import type { Policy } from "../admission/policy.ts";

/** What the application has not heard yet: payload, or a call of a handler. */
type Held = BunPayload | (() => void);

/** What the application is told of by. */
type Handlers<S extends BunSocket> = BunHandlers<S, BunPayload>;

/** A handler, which the runtime calls with the socket as `this` as well. */
type Handler<S, A extends unknown[]> = (
  this: S,
  socket: S,
  ...args: A
) => unknown;

/**
 * One connection between the runtime, which calls, and the application, which
 * hears nothing before the header is in and then everything in its order.
 */
export class BunConn<S extends BunSocket> {
  /** The peer: the proxy, or a direct client. */
  readonly hop: Address;
  /** The header, once it is in. */
  info: ProxyInfo | undefined;
  /** What the socket shows, once the header is in. */
  ends: Ends | undefined;
  /** Whether the connection is closed, which the application may not know yet. */
  isClosed = false;
  /** Whether the header came inside TLS. */
  isTls = false;
  readonly #socket: S;
  #handlers: Handlers<S>;
  readonly #reader: HeaderReader;
  readonly #header = Promise.withResolvers<ProxyInfo | undefined>();
  #isHeaderDecided = false;
  /** Whether the application knows of the connection. */
  #isOpen = false;
  #isHandedOver = false;
  /** `undefined` once the application hears from the runtime itself. */
  #held: Held[] | undefined = [];
  /** Whether reading was stopped here: what is held has a bound. */
  #isStopped = false;
  /** Whether the application has paused while it was told what is held. */
  #isPaused = false;
  #hasEnded = false;
  /** What the connection was closed by. */
  #failure: Error | undefined;

  constructor(
    socket: S,
    hop: Address,
    handlers: Handlers<S>,
    policy: Policy,
  ) {
    this.#socket = socket;
    this.hop = hop;
    this.#handlers = handlers;
    this.#reader = new HeaderReader(policy);
    this.#header.promise.catch(() => {}); // nobody may wait for it any more
  }

  /** The header, or its refusal. */
  get header(): Promise<ProxyInfo | undefined> {
    return this.#header.promise;
  }

  /** What has come of the header. */
  get received(): Uint8Array {
    return this.#reader.received;
  }

  /** Takes what arrives. */
  data(payload: BunPayload): void {
    if (this.#held === undefined) {
      this.#handlers.data?.call(this.#socket, this.#socket, payload);
      return;
    }
    this.#held.push(payload);
    if (!this.#isHeaderDecided) {
      this.#decide(() => this.#reader.push(toBytes(payload)));
    } else if (!this.#isStopped) {
      this.#isStopped = true;
      this.#socket.pause();
    }
  }

  /** Takes the end of what arrives. */
  end(): void {
    this.#decide(() => this.#reader.end());
    this.#hasEnded = true;
    // Behind what is held of the data, also when the application has paused.
    if (this.#held === undefined) this.#pass(({ end }) => end);
    else this.#held.push(() => this.#call(this.#handlers.end));
  }

  /** Takes the end of the connection. */
  close(error?: Error): void {
    this.isClosed = true;
    this.#failure = error;
    // A reset is a failure, as on other runtimes, and not an end.
    if (error === undefined) this.#decide(() => this.#reader.end());
    else this.#fail(error);
    // As without a proxy: who closes, or is reset while paused, hears no more data.
    if (this.#isOpen) this.#held = undefined;
    this.#pass(({ close }) => close, error);
  }

  /** Takes the end of the TLS handshake. */
  handshake(success: boolean, error: Error | null): void {
    this.isTls = true;
    // A peer that leaves during the handshake is one that closes without a byte.
    if (!success && error !== null && !isReset(error)) this.#fail(error);
    this.#pass(({ handshake }) => handshake, success, error);
  }

  /** Takes an error: of the TLS session, or of a handler of the application. */
  error(error: Error): void {
    this.#fail(error);
    this.#pass(({ error }) => error, error);
  }

  /** Takes the word that more can be written. */
  drain(): void {
    this.#pass(({ drain }) => drain);
  }

  /** Takes the end of the application's own time limit. */
  timeout(): void {
    this.#pass(({ timeout }) => timeout);
  }

  #fail(error: Error): void {
    this.#decide(() => {
      throw error;
    });
  }

  #decide(work: () => Header | undefined): void {
    if (this.#isHeaderDecided) return;
    try {
      const header = work();
      if (header === undefined) return;
      this.#header.resolve(header.info);
    } catch (error) {
      this.#header.reject(error);
    }
    this.#isHeaderDecided = true;
  }

  /** Tells the application of the connection, then everything that is held. */
  open(): void {
    this.#isOpen = true;
    this.#isHeaderDecided = true;
    this.#held = withoutHeader(this.#held ?? [], this.info?.raw.length ?? 0);
    if (this.#held.length > 0) this.#watchPauses();
    if (!this.#call(this.#handlers.open, this.info)) {
      this.#held = undefined;
      this.#socket.end(); // as the runtime does
    }
    this.#tellHeld();
  }

  #tellHeld(): void {
    while (this.#held?.length && !this.#isPaused) {
      const next = this.#held.shift();
      if (typeof next === "function") next();
      else if (next !== undefined) this.#call(this.#handlers.data, next);
    }
    if (this.#held?.length) return; // resume() comes back here
    this.#held = undefined;
    if (this.#isStopped && !this.#isPaused) this.#socket.resume();
    this.#isStopped = false;
  }

  /**
   * Makes `pause()` hold for what is held too: an application that first dials
   * a backend relies on it.
   */
  #watchPauses(): void {
    const socket = this.#socket;
    const { pause, resume } = socket;
    shadow(socket, "pause", () => {
      this.#isPaused = true;
      pause.call(socket);
    });
    shadow(socket, "resume", () => {
      this.#isPaused = false;
      this.#isStopped = false;
      resume.call(socket);
      if (this.#held === undefined) return;
      // Never in the call itself, like the runtime.
      queueMicrotask(() => this.#held && this.#tellHeld());
    });
  }

  /** Takes what is held of the payload, for TLS to begin with, and goes on to read. */
  takeRest(): Uint8Array {
    const chunks = (this.#held ?? []).filter(isPayload).map(toBytes);
    this.#held = this.#held?.filter((item) => !isPayload(item));
    if (this.#isStopped) this.#socket.resume();
    this.#isStopped = false;
    return concat(chunks);
  }

  /** Whether the application has it by this socket, and not by TLS over it. */
  serves(socket: object): boolean {
    return this.#isOpen && !this.#isHandedOver && socket === this.#socket;
  }

  /** Calls other handlers from now on, first with the end of what has ended by then. */
  handOver(handlers: Handlers<S>): void {
    this.#isHandedOver = true;
    this.#handlers = handlers;
    if (this.#held !== undefined) return; // which is yet to be told, in its order
    if (this.#hasEnded) this.#call(handlers.end);
    if (this.isClosed) this.#call(handlers.close, this.#failure);
  }

  /** Calls a handler once the application knows of the connection. */
  #pass<A extends unknown[]>(
    handlerOf: (handlers: Handlers<S>) => Handler<S, A> | undefined,
    ...args: A
  ): void {
    const socket = this.#socket;
    if (this.#isOpen) handlerOf(this.#handlers)?.call(socket, socket, ...args);
    else this.#held?.push(() => this.#call(handlerOf(this.#handlers), ...args));
  }

  /**
   * Calls a handler where the runtime does not, and does with what it throws
   * what the runtime does; false then.
   */
  #call<A extends unknown[]>(
    handler: Handler<S, A> | undefined,
    ...args: A
  ): boolean {
    const socket = this.#socket;
    try {
      handler?.call(socket, socket, ...args);
      return true;
    } catch (thrown) {
      const { error: onError } = this.#handlers;
      try {
        if (onError === undefined) throw thrown;
        onError.call(socket, socket, toError(thrown));
      } catch (error) {
        reportError(error);
      }
      return false;
    }
  }
}

function isPayload(item: Held): item is BunPayload {
  return typeof item !== "function";
}

/** A payload as bytes, whatever its class. */
export function toBytes(payload: BunPayload): Uint8Array {
  return payload instanceof ArrayBuffer ? new Uint8Array(payload) : payload;
}

/** Chunks as one. */
export function concat(chunks: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(
    chunks.reduce((sum, { length }) => sum + length, 0),
  );
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}

function toError(thrown: unknown): Error {
  return thrown instanceof Error
    ? thrown
    : new Error(String(thrown), { cause: thrown });
}

function isReset(error: Error): boolean {
  return "code" in error && error.code === "ECONNRESET";
}

/**
 * Takes the first bytes away. What remains of a chunk is of its class, which
 * is what the application asked for.
 */
function withoutHeader(held: Held[], length: number): Held[] {
  const kept: Held[] = [];
  let left = length;
  for (const item of held) {
    const taken = isPayload(item) ? Math.min(left, item.byteLength) : 0;
    left -= taken;
    if (!isPayload(item) || taken === 0) kept.push(item);
    else if (taken < item.byteLength) kept.push(behind(item, taken));
  }
  return kept;
}

function behind(payload: BunPayload, start: number): BunPayload {
  return payload instanceof ArrayBuffer
    ? payload.slice(start)
    : payload.subarray(start);
}

/** They stay on the socket: to take them off costs more than to keep them. */
function shadow(target: object, name: string, method: () => void): void {
  Object.defineProperty(target, name, { value: method, configurable: true });
}
