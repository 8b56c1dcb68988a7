import type {
  Address,
  ProxyInfo,
  ProxyProtocolError,
} from "../../codec/mod.ts";
import { claimView } from "../_claim_view.ts";
import { type Ends, showEnds, tcpAddress, unixAddress } from "../_ends.ts";
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
import { concat, payloadAfter, toBytes } from "./payload.ts";
import type { BunHandlers, BunPayload, BunSocket } from "./types.ts";

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

/** What the application knows of a connection; see {@link BunConn}. */
type Phase = "held" | "lazy" | "telling" | "open" | "refused";

/** Whether the socket is read; see {@link BunConn}. */
type Flow = "flowing" | "stopped" | "paused";

/** Finds the connection of a socket that `proxied` was called with; `socket.data` is the application's. */
export function connOf(socket: object): BunConn<BunSocket> | undefined {
  const facts = factsAside(socket);
  return facts instanceof BunConn ? facts : undefined;
}

/**
 * Drives a socket of Bun, of which the runtime calls handlers: the application
 * hears nothing before the connection is admitted, and then everything in its
 * order.
 *
 * | phase     | what the runtime calls                                       |
 * |-----------|--------------------------------------------------------------|
 * | `held`    | is kept; bytes of the header go to the admission             |
 * | `lazy`    | is passed on, but data and their end are kept: it may write  |
 * | `telling` | is kept behind what is kept and told to the application now   |
 * | `open`    | is passed on at once                                         |
 * | `refused` | is dropped                                                   |
 *
 * | flow      | the socket is                                                |
 * |-----------|--------------------------------------------------------------|
 * | `flowing` | read                                                         |
 * | `stopped` | not read, since what is kept has a bound                     |
 * | `paused`  | not read, since the application has paused what it is told    |
 */
export class BunConn<S extends BunSocket> implements Peer<S>, Facts {
  readonly conn: S;
  /** The header, once it has come. */
  info: ProxyInfo | undefined;
  /** Whether the header came inside TLS. */
  isTls = false;
  readonly #admission: Admission<S>;
  #handlers: Handlers<S>;
  #phase: Phase = "held";
  #flow: Flow = "flowing";
  #held: Held[] = [];
  #shown: Ends | undefined;
  /** What the header says, until it is believed. */
  #claim: { info: ProxyInfo | undefined; ends: Ends | undefined } | undefined;
  /** With `lazy`: the header when it has come. */
  #ready: PromiseWithResolvers<ProxyInfo | undefined> | undefined;
  /** The methods of the runtime, if the socket has others. */
  #own: Pick<BunSocket, "pause" | "resume"> | undefined;
  #isLeft = false;
  #hasEnded = false;
  /** How the connection was closed, which the application may not know yet. */
  #closed: { readonly error: Error | undefined } | undefined;

  constructor(socket: S, handlers: Handlers<S>, gate: Gate<S>) {
    this.conn = socket;
    this.#handlers = handlers;
    this.#admission = new Admission(gate, peerOf(socket), this);
  }

  /**
   * Begins, and is found by its socket from now on unless it is refused.
   *
   * @throws {TypeError} for a socket that has been accepted, or is about to be.
   */
  begin(): void {
    // It shows an address that was claimed: nobody must be trusted by that.
    if (connOf(this.conn) !== undefined) {
      throw new TypeError("Cannot accept the socket: accepted already");
    }
    rememberAside(this.conn, this);
    this.#admission.begin();
  }

  /** Is found by a socket that was made of its own. */
  adopt(socket: object): void {
    rememberAside(socket, this);
    if (this.#shown !== undefined) showEnds(socket, this.#shown);
  }

  /** The peer: the proxy, or a direct client. */
  get hop(): Address {
    return this.#admission.hop;
  }

  /** What the socket shows in place of its own ends. */
  get shown(): Ends | undefined {
    return this.#shown;
  }

  /** What the socket shows: its own where the header shows nothing. */
  get ends(): Ends {
    return this.#shown ?? { remoteAddr: this.hop, localAddr: this.ownEnd() };
  }

  ownEnd(): Address {
    const { localAddress, localPort } = this.conn;
    return isUnix(this.conn)
      ? unixAddress()
      : tcpAddress(localAddress, localPort);
  }

  /** Whether the connection is closed, which the application may not know yet. */
  get isClosed(): boolean {
    return this.#closed !== undefined;
  }

  /** Why it is closed; a peer that has closed it in order is yet to be heard. */
  get failure(): unknown {
    return this.#closed?.error ?? lostAddress(this.hop);
  }

  /** Resolves to the header when it has come: at once unless it is `lazy`. */
  get ready(): Promise<ProxyInfo | undefined> {
    return this.#ready?.promise ?? Promise.resolve(this.info);
  }

  /** Whether the application has the socket, but no header: not yet, or it was rejected. */
  get isAwaited(): boolean {
    return this.#phase === "lazy" ||
      this.#phase === "refused" && this.#ready !== undefined;
  }

  show({ info }: Header, ends: Ends | undefined): void {
    this.#claim = { info, ends };
    // The application holds the socket: no claim before `verify` has agreed.
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
    if (ends !== undefined) showEnds(this.conn, ends);
  }

  handOver(): void {
    this.#phase = "lazy";
    this.#ready = Promise.withResolvers();
    this.#ready.promise.catch(() => {}); // whoever asks is told
    this.#watchPauses();
    this.#open();
  }

  #open(): void {
    if (this.#call(this.#handlers.open, this.info)) return;
    this.#held = [];
    this.conn.end(); // as the runtime does
  }

  /** Tells the application of the connection, then everything that is held. */
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
    else this.#ready.reject(error); // and the application hears that it is closed
    this.conn.terminate();
  }

  /** Takes what arrives. */
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

  /** Takes the end of what arrives. */
  end(): void {
    this.#settle(this.#admission.end());
    this.#hasEnded = true;
    // Behind what is held of the data, also when the application has paused.
    if (this.#phase === "open") this.#pass(({ end }) => end);
    else this.#hold(() => this.#call(this.#handlers.end));
  }

  /** Takes the end of the connection. */
  close(error?: Error): void {
    this.#closed = { error };
    // A reset is a failure, as on other runtimes, and not an end.
    if (error === undefined) this.#settle(this.#admission.end());
    else this.#admission.fail(error);
    // As without a proxy: who closes, or is reset while paused, hears no more data.
    if (this.#phase === "telling") this.#opened();
    const isHeard = this.#phase === "refused" && this.#ready !== undefined;
    if (isHeard) this.#call(this.#handlers.close, error);
    else this.#pass(({ close }) => close, error);
  }

  /** Takes the end of the TLS handshake. */
  handshake(success: boolean, error: Error | null): void {
    this.isTls = true;
    // A peer that leaves during the handshake is one that closes without a byte.
    if (!success && error !== null && !isPeerGone(error)) {
      this.#admission.fail(error);
    }
    this.#pass(({ handshake }) => handshake, success, error);
  }

  /** Takes an error: of the TLS session, or of a handler of the application. */
  error(error: Error): void {
    this.#admission.fail(error);
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

  #settle(header: Header | undefined): void {
    if (header !== undefined) this.#admission.settle(header);
  }

  #tellHeld(): void {
    while (this.#held.length > 0 && this.#flow !== "paused") {
      const next = this.#held.shift();
      if (typeof next === "function") next();
      else if (next !== undefined) this.#call(this.#handlers.data, next);
    }
    if (this.#held.length > 0) return; // resume() comes back here
    this.#opened();
  }

  /** From now on the application hears from the runtime itself. */
  #opened(): void {
    this.#phase = "open";
    this.#held = [];
    const isStopped = this.#flow === "stopped";
    this.#flow = "flowing";
    if (isStopped && !this.isClosed) this.conn.resume();
  }

  /**
   * Makes `pause()` hold for what is held too: an application that first dials
   * a backend relies on it.
   */
  #watchPauses(): void {
    const socket = this.conn;
    const { pause, resume } = socket;
    this.#own = { pause, resume };
    shadow(socket, "pause", () => {
      if (this.#phase === "telling" || this.#phase === "lazy") {
        this.#flow = "paused";
      }
      // The header is read all the same.
      if (this.#phase !== "lazy") pause.call(socket);
    });
    shadow(socket, "resume", () => {
      this.#flow = "flowing";
      resume.call(socket);
      if (this.#phase !== "telling") return;
      // Never in the call itself, like the runtime.
      queueMicrotask(() => {
        if (this.#phase === "telling") this.#tellHeld();
      });
    });
  }

  /** Takes what is held of the payload, for TLS to begin with, and goes on to read. */
  takePayload(): Uint8Array {
    const chunks = this.#held.filter(isPayload).map(toBytes);
    this.#held = this.#held.filter((item) => !isPayload(item));
    if (this.#flow === "stopped") this.conn.resume();
    this.#flow = "flowing";
    return concat(chunks);
  }

  /** Whether the application has it by this socket, and not by TLS over it. */
  serves(socket: object): boolean {
    const isTold = this.#phase !== "held" && this.#phase !== "refused";
    return isTold && !this.#isLeft && socket === this.conn;
  }

  /** Calls other handlers from now on, first with the end of what has ended by then. */
  leaveTo(handlers: Handlers<S>): void {
    this.#isLeft = true;
    this.#handlers = handlers;
    if (this.#phase !== "open") return; // what is held is yet to be told, in its order
    if (this.#hasEnded) this.#call(handlers.end);
    if (this.#closed) this.#call(handlers.close, this.#closed.error);
  }

  /** Calls a handler once the application knows of the connection. */
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
   * Calls a handler where the runtime does not, and does with what it throws
   * what the runtime does; false then.
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

/** The peer; its address is empty when it has reset the connection already. */
function peerOf(socket: BunSocket): Address {
  return isUnix(socket)
    ? unixAddress()
    : tcpAddress(socket.remoteAddress, socket.remotePort);
}

/**
 * Asked of the listener: the addresses are missing as well on a TCP connection
 * that was reset, which must not pass for a UNIX socket.
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

/** They stay on the socket: to take them off costs more than to keep them. */
function shadow(target: object, name: string, method: () => void): void {
  Object.defineProperty(target, name, { value: method, configurable: true });
}
