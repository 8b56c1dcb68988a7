import type {
  Address,
  ProxyInfo,
  ProxyProtocolError,
} from "../../codec/mod.ts";
import { claimView } from "../_claim_view.ts";
import { type Ends, tcpAddress, unixAddress } from "../_ends.ts";
import {
  type Facts,
  factsAside,
  forgetAside,
  rememberAside,
} from "../_facts.ts";
import { Admission, type Peer } from "../admission/admission.ts";
import type { Gate } from "../admission/gate.ts";
import type { Header } from "../admission/header_reader.ts";
import { isPeerGone, lostAddress } from "../admission/refusal.ts";
import { showClient } from "./show.ts";
import { concat, payloadAfter, toBytes } from "./payload.ts";
import type { BunHandlers, BunPayload, BunSocket } from "./types.ts";

/** Payload, or a call of a handler, that the application has not received yet. */
type Held = BunPayload | (() => void);

/** Handlers of the application. */
type Handlers<S extends BunSocket> = BunHandlers<S, BunPayload>;

/** A handler, which the runtime calls with the socket as `this` as well. */
type Handler<S, A extends unknown[]> = (
  this: S,
  socket: S,
  ...args: A
) => unknown;

/** What the application knows of a connection; see {@link BunConn}. */
type Phase = "held" | "lazy" | "telling" | "open" | "refused";

/** Whether the socket is read; see {@link BunConn}. */
type Flow = "flowing" | "stopped" | "paused";

/**
 * Returns the connection of a socket that `proxied` has opened. It is not kept in
 * `socket.data`, which belongs to the application.
 */
export function connOf(socket: object): BunConn<BunSocket> | undefined {
  const facts = factsAside(socket);
  return facts instanceof BunConn ? facts : undefined;
}

/**
 * Drives a socket of Bun, for which the runtime calls handlers. The application
 * receives nothing before the connection is admitted, and then every event in its
 * order.
 *
 * | phase     | a call of the runtime                                        |
 * |-----------|--------------------------------------------------------------|
 * | `held`    | is kept; bytes of the header go to the admission             |
 * | `lazy`    | is passed on, but data and their end are kept                |
 * | `telling` | is kept after the earlier calls, which are being passed on   |
 * | `open`    | is passed on at once                                         |
 * | `refused` | is dropped                                                   |
 *
 * | flow      | the socket is                                                |
 * |-----------|--------------------------------------------------------------|
 * | `flowing` | read                                                         |
 * | `stopped` | not read, because the kept payload has a limit               |
 * | `paused`  | not read, because the application has paused the delivery    |
 */
export class BunConn<S extends BunSocket> implements Peer<S>, Facts {
  readonly conn: S;
  /** The header, after it has arrived. */
  info: ProxyInfo | undefined;
  /** Whether the header arrived inside TLS. */
  isTls = false;
  readonly #admission: Admission<S>;
  #handlers: Handlers<S>;
  #phase: Phase = "held";
  #flow: Flow = "flowing";
  #held: Held[] = [];
  #shown: Ends | undefined;
  /** Contents of the header, until it is accepted. */
  #claim: { info: ProxyInfo | undefined; ends: Ends | undefined } | undefined;
  /** With `lazy`: resolves to the header when it has arrived. */
  #ready: PromiseWithResolvers<ProxyInfo | undefined> | undefined;
  /** Methods of the runtime, if the socket has others in their place. */
  #own: Pick<BunSocket, "pause" | "resume"> | undefined;
  #isLeft = false;
  #hasEnded = false;
  /** How the connection was closed. The application may not know it yet. */
  #closed: { readonly error: Error | undefined } | undefined;

  constructor(socket: S, handlers: Handlers<S>, gate: Gate<S>) {
    this.conn = socket;
    this.#handlers = handlers;
    this.#admission = new Admission(gate, peerOf(socket), this);
  }

  /**
   * Starts waiting for the header. From now on `connOf` finds it by its socket,
   * unless the connection is rejected.
   *
   * @throws {TypeError} for a socket that has been accepted, or is about to be.
   */
  begin(): void {
    // The socket shows an address that a header claimed. Trust must not rely on it.
    if (connOf(this.conn) !== undefined) {
      throw new TypeError("Cannot accept the socket: accepted already");
    }
    rememberAside(this.conn, this);
    this.#admission.begin();
  }

  /** Makes `connOf` find this connection by a socket that was derived from its own. */
  adopt(socket: object): void {
    rememberAside(socket, this);
    if (this.#shown !== undefined) showClient(socket);
  }

  /** The peer: the proxy, or a direct client. */
  get hop(): Address {
    return this.#admission.hop;
  }

  /** Ends that the socket shows in place of its own. */
  get shown(): Ends | undefined {
    return this.#shown;
  }

  /** Ends that the socket shows: its own if the header has no addresses. */
  get ends(): Ends {
    return this.#shown ?? { remoteAddr: this.hop, localAddr: this.ownEnd() };
  }

  ownEnd(): Address {
    const { localAddress, localPort } = this.conn;
    return isUnix(this.conn)
      ? unixAddress()
      : tcpAddress(localAddress, localPort);
  }

  /** Whether the connection is closed. The application may not know it yet. */
  get isClosed(): boolean {
    return this.#closed !== undefined;
  }

  /** Error that closed the connection. `undefined` if the peer closed it in order. */
  get failure(): unknown {
    return this.#closed?.error ?? lostAddress(this.hop);
  }

  /** Resolves to the header when it has arrived: at once unless `lazy` is set. */
  get ready(): Promise<ProxyInfo | undefined> {
    return this.#ready?.promise ?? Promise.resolve(this.info);
  }

  /** Whether the application has the socket without a header: pending or rejected. */
  get isAwaited(): boolean {
    return this.#phase === "lazy" ||
      this.#phase === "refused" && this.#ready !== undefined;
  }

  show({ info }: Header, ends: Ends | undefined): void {
    this.#claim = { info, ends };
    // The application holds the socket, so show no claim before `verify` accepts it.
    if (this.#phase !== "lazy") this.#believe();
  }

  get asked(): S | undefined {
    if (this.#phase !== "lazy") return undefined;
    const { hop, conn } = this;
    const { info, ends: shown } = this.#claim ?? {};
    return claimView(conn, { info, hop, shown, conn, isAwaited: false });
  }

  #believe(): void {
    const { info, ends } = this.#claim ?? {};
    this.info = info;
    this.#shown = ends;
    if (ends !== undefined) showClient(this.conn);
  }

  handOver(): void {
    this.#phase = "lazy";
    this.#ready = Promise.withResolvers();
    this.#ready.promise.catch(() => {}); // ready() still rejects
    this.#watchPauses();
    this.#open();
  }

  #open(): void {
    if (this.#call(this.#handlers.open, this.info)) return;
    this.#held = [];
    this.conn.end(); // as the runtime does
  }

  /** Calls `open`, then passes on every held event. */
  admit(): void {
    const isLazy = this.#phase === "lazy";
    if (isLazy) this.#believe();
    this.#phase = "telling";
    this.#held = payloadAfter(this.#held, this.info?.raw.length ?? 0);
    if (isLazy) {
      this.#ready?.resolve(this.info);
      if (this.#flow === "paused") this.#own?.pause.call(this.conn);
    } else {
      if (this.#held.length > 0) this.#watchPauses();
      this.#open();
    }
    this.#tellHeld();
  }

  refuse(error: ProxyProtocolError): void {
    this.#phase = "refused";
    this.#held = [];
    if (this.#ready === undefined) forgetAside(this.conn);
    else this.#ready.reject(error); // and the `close` handler is called
    this.conn.terminate();
  }

  /** Receives bytes. */
  data(payload: BunPayload): void {
    if (this.#phase === "open") {
      this.#handlers.data?.call(this.conn, this.conn, payload);
      return;
    }
    if (this.#phase === "refused") return;
    this.#held.push(payload);
    if (this.#admission.wantsBytes) {
      this.#settle(this.#admission.push(toBytes(payload)));
    } else if (this.#flow === "flowing" || this.#phase === "lazy") {
      if (this.#flow === "flowing") this.#flow = "stopped";
      (this.#own ?? this.conn).pause.call(this.conn);
    }
  }

  /** Receives the end of the bytes. */
  end(): void {
    this.#settle(this.#admission.end());
    this.#hasEnded = true;
    // After the held data, also when the application has paused the socket.
    if (this.#phase === "open") this.#pass(({ end }) => end);
    else this.#hold(() => this.#call(this.#handlers.end));
  }

  /** Receives the end of the connection. */
  close(error?: Error): void {
    this.#closed = { error };
    // A reset is a failure, as on other runtimes, and not an end.
    if (error === undefined) this.#settle(this.#admission.end());
    else this.#admission.fail(error);
    // As without a proxy: no data is delivered after a close or a reset.
    if (this.#phase === "telling") this.#opened();
    const isHeard = this.#phase === "refused" && this.#ready !== undefined;
    if (isHeard) this.#call(this.#handlers.close, error);
    else this.#pass(({ close }) => close, error);
  }

  /** Receives the end of the TLS handshake. */
  handshake(success: boolean, error: Error | null): void {
    this.isTls = true;
    // A peer that leaves during the handshake counts as one that sent no byte.
    if (!success && error !== null && !isPeerGone(error)) {
      this.#admission.fail(error);
    }
    this.#pass(({ handshake }) => handshake, success, error);
  }

  /** Receives an error of the TLS session or of a handler of the application. */
  error(error: Error): void {
    this.#admission.fail(error);
    this.#pass(({ error }) => error, error);
  }

  /** Passes on that more can be written. */
  drain(): void {
    this.#pass(({ drain }) => drain);
  }

  /** Passes on that the application's own time limit has passed. */
  timeout(): void {
    this.#pass(({ timeout }) => timeout);
  }

  #settle(header: Header | undefined): void {
    if (header !== undefined) this.#admission.settle(header);
  }

  #tellHeld(): void {
    while (this.#held.length > 0 && this.#flow !== "paused") {
      const next = this.#held.shift();
      if (typeof next === "function") next();
      else if (next !== undefined) this.#call(this.#handlers.data, next);
    }
    if (this.#held.length > 0) return; // resume() calls this again
    this.#opened();
  }

  /** Passes on every event at once from now on. */
  #opened(): void {
    this.#phase = "open";
    this.#held = [];
    const isStopped = this.#flow === "stopped";
    this.#flow = "flowing";
    if (isStopped && !this.isClosed) this.conn.resume();
  }

  /**
   * Makes `pause()` also delay the held payload. An application that first dials a
   * backend relies on it.
   */
  #watchPauses(): void {
    const socket = this.conn;
    const { pause, resume } = socket;
    this.#own = { pause, resume };
    shadow(socket, "pause", () => {
      if (this.#phase === "telling" || this.#phase === "lazy") {
        this.#flow = "paused";
      }
      // The header is still read.
      if (this.#phase !== "lazy") pause.call(socket);
    });
    shadow(socket, "resume", () => {
      this.#flow = "flowing";
      resume.call(socket);
      if (this.#phase !== "telling") return;
      // Like the runtime, never calls handlers inside of resume().
      queueMicrotask(() => {
        if (this.#phase === "telling") this.#tellHeld();
      });
    });
  }

  /** Removes and returns the held payload, with which TLS begins, and resumes reading. */
  takePayload(): Uint8Array {
    const chunks = this.#held.filter(isPayload).map(toBytes);
    this.#held = this.#held.filter((item) => !isPayload(item));
    if (this.#flow === "stopped") this.conn.resume();
    this.#flow = "flowing";
    return concat(chunks);
  }

  /** Whether the application uses this socket, and not a TLS socket on top of it. */
  serves(socket: object): boolean {
    const isTold = this.#phase !== "held" && this.#phase !== "refused";
    return isTold && !this.#isLeft && socket === this.conn;
  }

  /** Calls other handlers from now on, first for an end or close that has happened. */
  leaveTo(handlers: Handlers<S>): void {
    this.#isLeft = true;
    this.#handlers = handlers;
    if (this.#phase !== "open") return; // the held events are passed on first
    if (this.#hasEnded) this.#call(handlers.end);
    if (this.#closed) this.#call(handlers.close, this.#closed.error);
  }

  /** Calls a handler, but not before `open`. */
  #pass<A extends unknown[]>(
    handlerOf: (handlers: Handlers<S>) => Handler<S, A> | undefined,
    ...args: A
  ): void {
    const socket = this.conn;
    if (this.#phase !== "held" && this.#phase !== "refused") {
      handlerOf(this.#handlers)?.call(socket, socket, ...args);
    } else {
      this.#hold(() => this.#call(handlerOf(this.#handlers), ...args));
    }
  }

  #hold(call: () => void): void {
    if (this.#phase !== "refused") this.#held.push(call);
  }

  /**
   * Calls a handler in place of the runtime, and handles an error like the runtime.
   * Returns false if the handler has thrown.
   */
  #call<A extends unknown[]>(
    handler: Handler<S, A> | undefined,
    ...args: A
  ): boolean {
    const socket = this.conn;
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

/** Returns the peer. Its address is empty if it has already reset the connection. */
function peerOf(socket: BunSocket): Address {
  return isUnix(socket)
    ? unixAddress()
    : tcpAddress(socket.remoteAddress, socket.remotePort);
}

/**
 * Checks the listener, because missing addresses do not prove a UNIX socket. They
 * are also missing on a TCP connection that was reset.
 */
function isUnix({ listener }: BunSocket): boolean {
  return listener !== undefined && "unix" in listener &&
    listener.unix !== undefined;
}

function isPayload(item: Held): item is BunPayload {
  return typeof item !== "function";
}

function toError(thrown: unknown): Error {
  return thrown instanceof Error
    ? thrown
    : new Error(String(thrown), { cause: thrown });
}

/** Replaces a method for good, because removing it costs more than keeping it. */
function shadow(target: object, name: string, method: () => void): void {
  Object.defineProperty(target, name, { value: method, configurable: true });
}
