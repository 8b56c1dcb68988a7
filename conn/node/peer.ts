import { Server, Socket } from "node:net";
import { TLSSocket } from "node:tls";
import { EMPTY } from "../../codec/internal.ts";
import type {
  Address,
  ProxyInfo,
  ProxyProtocolError,
} from "../../codec/mod.ts";
import { type Ends, tcpAddress, unixAddress } from "../_ends.ts";
import { claimView } from "../_claim_view.ts";
import { type Facts, factsOf, remember } from "../_facts.ts";
import { Admission, type Peer } from "../admission/admission.ts";
import type { Gate } from "../admission/gate.ts";
import type { Header } from "../admission/header_reader.ts";
import { lostAddress, resetError } from "../admission/refusal.ts";
import { joinBuffered } from "./join_buffered.ts";
import { showOn } from "./show.ts";
import type { NodeSocket } from "./types.ts";

/** What a header says of a socket. */
interface Claim extends Pick<Facts, "info" | "shown"> {
  isEncrypted: boolean;
}

/** Takes what was admitted, and what lets it flow when its application listens. */
type Deliver = (info: ProxyInfo | undefined, flow: () => void) => void;

/**
 * Drives a socket of `node:net`, to which the runtime pushes: it takes the
 * header off and gives back the payload. Until {@link release} the socket's
 * errors end nothing but itself.
 */
export class NodePeer<S extends NodeSocket> implements Peer<S> {
  readonly conn: S;
  readonly #kind: Kind;
  readonly #facts: Facts;
  readonly #admission: Admission<S>;
  readonly #deliver: Deliver;
  readonly #onRefused: ((error: ProxyProtocolError) => void) | undefined;
  /** What to undo when there is nothing to wait for any more. */
  #push: NodeSocket["push"] | undefined;
  #resume: NodeSocket["resume"] | undefined;
  #isListening = false;
  /** Whether somebody has asked that the socket flows. */
  #isResumed = false;
  /** What the header says, until it is believed. */
  #claim: Claim = { info: undefined, shown: undefined, isEncrypted: false };
  /** What has come of the payload, and `null` for its end, of a socket that flows already. */
  #kept: unknown[] | undefined;
  /** Of the chunk that was given back, in bytes. */
  #payloadLength = 0;
  /** What was at hand when the socket was handed over before its header. */
  #early: unknown;
  /** With `lazy`: the header when it has come. */
  #ready: PromiseWithResolvers<ProxyInfo | undefined> | undefined;

  /** @throws {TypeError} for a socket that has been accepted, or is about to be. */
  constructor(
    socket: S,
    gate: Gate<S>,
    deliver: Deliver,
    onRefused?: (error: ProxyProtocolError) => void,
  ) {
    // It shows an address that was claimed: nobody must be trusted by that.
    if (factsOf(socket) !== undefined) {
      throw new TypeError("Cannot accept the socket: accepted already");
    }
    this.conn = socket;
    this.#deliver = deliver;
    this.#onRefused = onRefused;
    const { remoteAddress } = socket;
    // Few need it: to ask costs more than the address.
    this.#kind = remoteAddress === undefined ? kindOf(socket) : "tcp";
    const hop = peerOf(socket, this.#kind);
    this.#admission = new Admission(gate, hop, this);
    this.#facts = {
      info: undefined,
      hop,
      shown: undefined,
      isAwaited: true,
      conn: socket,
      decode: gate.policy.decode,
    };
    remember(socket, this.#facts);
  }

  /** Begins, with what the socket has at hand. */
  begin(): void {
    const admission = this.#admission;
    const socket = this.conn;
    socket.on("error", ignore);
    if (admission.begin()) {
      this.#holdFlow();
      let header: Header | undefined;
      try {
        header = this.#takeBuffered();
      } catch (error) {
        admission.fail(error);
      }
      if (header !== undefined) admission.settle(header);
      else if (admission.wantsBytes) this.#awaitHeader();
    }
    if (!admission.isPending) return;
    this.#isListening = true;
    socket.on("close", this.#closed);
  }

  /**
   * Lets nothing flow until the application has the socket: whoever has resumed
   * it by then, as a master that passes it on does, would lose the payload. One
   * that flows already is not paused, after which Deno would not read it.
   */
  #holdFlow(): void {
    const socket = this.conn;
    if (this.#resume !== undefined) return;
    if (socket.readableFlowing === true) this.#keep();
    this.#resume = socket.resume;
    socket.resume = this.#resumed;
  }

  /** Keeps what comes of the payload until the socket is admitted. */
  #keep(): void {
    this.#kept = [];
    this.#interceptPush();
  }

  /**
   * Gives the socket to its application, which may write; what comes is kept
   * until the header has.
   */
  handOver(): void {
    const socket = this.conn;
    const { readableLength } = socket;
    if (readableLength > 0) this.#early = socket.read(readableLength);
    this.#ready = Promise.withResolvers();
    this.#ready.promise.catch(() => {}); // whoever asks is told
    this.#facts.ready = this.#ready.promise;
    this.#keep();
    this.#holdFlow();
    this.#deliver(undefined, () => {});
  }

  readonly #resumed = (): S => {
    this.#isResumed = true;
    return this.conn;
  };

  ownEnd(): Address {
    const { localAddress, localPort } = this.conn;
    return localAddress === undefined && this.#kind === "unix"
      ? unixAddress()
      : tcpAddress(localAddress, localPort);
  }

  /** After a reset, bytes that came before can still be read, but a socket of TCP has no address. */
  get failure(): unknown {
    const { destroyed, errored } = this.conn;
    if (destroyed) return errored ?? new Error("closed");
    if (this.#kind === "unknown") return undefined; // never had one
    return lostAddress(this.#admission.hop);
  }

  /** Asks the system: a reset after the end of the peer is told by nothing else. */
  probe(): Promise<unknown> {
    const handle: unknown = Reflect.get(this.conn, "_handle");
    return Promise.resolve(isDisconnected(handle) ? resetError() : undefined);
  }

  show(
    { info, payload }: Header,
    shown: Ends | undefined,
    isEncrypted: boolean,
  ): void {
    this.#payloadLength = payload.length;
    this.#claim = { info, shown, isEncrypted };
    // Its application holds it: no claim before `verify` has agreed.
    if (this.#ready === undefined) this.#believe();
  }

  get asked(): S | undefined {
    if (this.#ready === undefined) return undefined;
    const { info, shown } = this.#claim;
    const { hop, conn } = this.#facts;
    return claimView(this.conn, { info, hop, shown, conn, isAwaited: false });
  }

  #believe(): void {
    const { info, shown, isEncrypted } = this.#claim;
    this.#facts.info = info;
    this.#facts.shown = shown;
    this.#facts.isAwaited = false;
    if (shown !== undefined) showOn(this.conn, shown);
    // As a `TLSSocket` has it. Frameworks ask nothing else for `https`.
    if (isEncrypted) Reflect.set(this.conn, "encrypted", true);
  }

  admit(info: ProxyInfo | undefined): void {
    this.#stop();
    this.#facts.isAdmitted = true;
    if (this.#ready !== undefined) {
      this.#believe();
      this.#ready.resolve(info);
      return this.#flow();
    }
    // Not unless more has come: reading would start the socket again.
    if (this.conn.readableLength > this.#payloadLength) joinBuffered(this.conn);
    this.#deliver(info, this.#flow);
  }

  readonly #flow = (): void => {
    for (const chunk of this.#kept ?? []) this.conn.push(chunk);
    if (this.#isResumed) this.conn.resume();
  };

  refuse(error: ProxyProtocolError): void {
    this.#stop();
    this.conn.destroy(); // errors after this are ignored
    if (this.#ready === undefined) this.#onRefused?.(error);
    else this.#ready.reject(error);
  }

  readonly #closed = (): void => {
    this.#admission.fail(this.failure);
  };

  #stop(): void {
    this.#restorePush();
    if (this.#resume !== undefined) this.conn.resume = this.#resume;
    this.#resume = undefined;
    if (this.#isListening) this.conn.off("close", this.#closed);
    this.#isListening = false;
  }

  #restorePush(): void {
    // `delete` would make the socket slow in all that follows.
    if (this.#push !== undefined) this.conn.push = this.#push;
    this.#push = undefined;
  }

  /**
   * Takes the header from what is at hand, and gives back what is beyond it. By
   * its length: `read()` would set off 'end' where the peer has ended its
   * direction with the header, and then nobody would hear it.
   */
  #takeBuffered(): Header | undefined {
    const socket = this.conn;
    if (socket.readableEncoding) {
      throw new TypeError("the socket has an encoding");
    }
    let header: Header | undefined;
    if (this.#early !== undefined) header = this.#take(this.#early);
    while (this.#admission.wantsBytes && socket.readableLength > 0) {
      header = this.#take(socket.read(socket.readableLength));
    }
    if (this.#admission.wantsBytes && hasEnded(socket)) {
      header = this.#admission.end();
    }
    if (header !== undefined && header.payload.length > 0) {
      if (this.#kept !== undefined) this.#kept.push(header.payload);
      else socket.unshift(header.payload);
    }
    return header;
  }

  /** Takes a chunk of the socket; `null` is its end. */
  #take(chunk: unknown): Header | undefined {
    if (chunk === null) return this.#admission.end();
    if (chunk instanceof Uint8Array) return this.#admission.push(chunk);
    throw new TypeError("the socket gives no bytes");
  }

  /**
   * Takes what arrives where the runtime gives it to the stream: a listener of
   * `'readable'` would take a socket of Node through its states of flow.
   */
  #awaitHeader(): void {
    this.#interceptPush();
    this.#ask();
  }

  #interceptPush(): void {
    if (this.#push !== undefined) return;
    this.#push = this.conn.push;
    this.conn.push = this.#pushed;
  }

  readonly #ask = (): void => {
    if (this.#admission.wantsBytes) this.conn.read(0);
  };

  readonly #pushed = (chunk: unknown): boolean => {
    const socket = this.conn;
    const push = this.#push ?? socket.push;
    if (this.#kept !== undefined && !this.#admission.wantsBytes) {
      this.#kept.push(chunk);
      return false;
    }
    let header: Header | undefined;
    try {
      header = this.#take(chunk);
    } catch (error) {
      this.#admission.fail(error);
    }
    if (header !== undefined) {
      if (this.#kept !== undefined) {
        this.#kept.push(header.payload, ...(chunk === null ? [null] : []));
        push.call(socket, EMPTY);
      } else {
        this.#restorePush();
        push.call(socket, header.payload);
        if (chunk === null) push.call(socket, null);
      }
      // Whoever reads the handle itself must not do so while it is being read.
      const whole = header;
      queueMicrotask(() => this.#admission.settle(whole));
      return false; // no more is read until somebody asks
    }
    if (!this.#admission.wantsBytes) return false; // refused
    // Be it nothing: until then the stream holds that it has asked already.
    queueMicrotask(this.#ask);
    return push.call(socket, EMPTY);
  };
}

/** Leaves the errors of a socket to whoever has taken it. */
export function release(socket: NodeSocket): void {
  socket.off("error", ignore);
}

function ignore(): void {}

/** The peer, as of now: a socket forgets it when it is closed. */
function peerOf(socket: NodeSocket, kind: Kind): Address {
  const { remoteAddress, remotePort } = socket;
  return remoteAddress === undefined && kind === "unix"
    ? unixAddress()
    : tcpAddress(remoteAddress, remotePort);
}

/** What a socket without an address is. */
type Kind = "tcp" | "unix" | "unknown";

/**
 * Tells what a socket is by its handle and its server, since its addresses do
 * not: they are absent on a UNIX socket, on one of TCP that was reset, and on
 * any other stream that TLS is built upon.
 */
function kindOf(socket: object): Kind {
  if (!(socket instanceof Socket)) return "unknown";
  if (socket instanceof TLSSocket) {
    const parent: unknown = Reflect.get(socket, "_parent");
    return parent instanceof Socket ? kindOf(parent) : "unknown";
  }
  const handle: unknown = Reflect.get(socket, "_handle");
  const isPipe = typeof handle === "object" && handle !== null &&
    `${handle.constructor?.name}`.startsWith("Pipe");
  return isPipe || isPath(Reflect.get(socket, "server")) ? "unix" : "tcp";
}

/** Whether a handle has no peer any more; one of a UNIX socket cannot be asked. */
function isDisconnected(handle: unknown): boolean {
  if (typeof handle !== "object" || handle === null) return false;
  // That of its class: the handle may have one that shows the client.
  const prototype: unknown = Object.getPrototypeOf(handle);
  if (typeof prototype !== "object" || prototype === null) return false;
  const getpeername: unknown = Reflect.get(prototype, "getpeername");
  return typeof getpeername === "function" &&
    Reflect.apply(getpeername, handle, [{}]) < 0;
}

/** Whether a server listens on a path: on Bun, handles do not tell. */
function isPath(server: unknown): boolean {
  return server instanceof Server && typeof server.address() === "string";
}

/** Before 'end' is emitted, after which nothing can be given back. */
function hasEnded(socket: object): boolean {
  const state: unknown = Reflect.get(socket, "_readableState");
  return typeof state === "object" && state !== null &&
    Reflect.get(state, "ended") === true;
}
