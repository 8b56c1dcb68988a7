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
import { type Facts, factsIn, factsOf, remember } from "../_facts.ts";
import { Admission, type Peer } from "../admission/admission.ts";
import type { Gate } from "../admission/gate.ts";
import type { Header } from "../admission/header_reader.ts";
import { lostAddress, resetError } from "../admission/refusal.ts";
import { joinBuffered } from "./join_buffered.ts";
import { showOn } from "./show.ts";
import type { NodeSocket } from "./types.ts";

/** Contents of a header for a socket. */
interface Claim extends Pick<Facts, "info" | "shown"> {
  isEncrypted: boolean;
}

/** Receives an admitted header, and a function that starts the flow of the socket. */
type Deliver = (info: ProxyInfo | undefined, flow: () => void) => void;

/**
 * Drives a socket of `node:net`, to which the runtime pushes. It removes the header
 * and returns the payload to the socket. Until {@link release}, an error of the
 * socket ends only the socket.
 */
export class NodePeer<S extends NodeSocket> implements Peer<S> {
  readonly conn: S;
  readonly #kind: Kind;
  readonly #facts: Facts;
  readonly #admission: Admission<S>;
  readonly #deliver: Deliver;
  readonly #onRefused: ((error: ProxyProtocolError) => void) | undefined;
  /** Own methods of the socket, which are restored after the header. */
  #push: NodeSocket["push"] | undefined;
  #resume: NodeSocket["resume"] | undefined;
  #isListening = false;
  /** Whether `resume()` was called on the socket. */
  #isResumed = false;
  /** Contents of the header, until it is accepted. */
  #claim: Claim = { info: undefined, shown: undefined, isEncrypted: false };
  /** Received payload, and `null` for its end, of a socket that already flows. */
  #kept: unknown[] | undefined;
  /** Length of the chunk that was returned to the socket, in bytes. */
  #payloadLength = 0;
  /** Bytes that had arrived when the socket was delivered before its header. */
  #early: unknown;
  /** With `lazy`: resolves to the header when it has arrived. */
  #ready: PromiseWithResolvers<ProxyInfo | undefined> | undefined;

  /** @throws {TypeError} for a socket that has been accepted, or is about to be. */
  constructor(
    socket: S,
    gate: Gate<S>,
    deliver: Deliver,
    onRefused?: (error: ProxyProtocolError) => void,
  ) {
    // The socket shows an address that a header claimed. Trust must not rely on it.
    // Most sockets are built upon nothing. To look for it costs half a microsecond.
    const isPlain = socket.constructor === Socket;
    if ((isPlain ? factsIn(socket) : factsOf(socket)) !== undefined) {
      throw new TypeError("Cannot accept the socket: accepted already");
    }
    this.conn = socket;
    this.#deliver = deliver;
    this.#onRefused = onRefused;
    const { remoteAddress } = socket;
    // Few sockets need the kind, and reading it costs more than the address.
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

  /** Begins to wait for the header, with the bytes that the socket already has. */
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
   * Delays the flow until the application has the socket. If other code resumes it
   * before, as a primary that passes it on does, the payload would be lost. A
   * socket that already flows is not paused, because Deno would not read it again.
   */
  #holdFlow(): void {
    const socket = this.conn;
    if (this.#resume !== undefined) return;
    if (socket.readableFlowing === true) this.#keep();
    this.#resume = socket.resume;
    socket.resume = this.#resumed;
  }

  /** Keeps received payload until the socket is admitted. */
  #keep(): void {
    this.#kept = [];
    this.#interceptPush();
  }

  /**
   * Delivers the socket to its application, which may write. Received bytes are kept
   * until the header has arrived.
   */
  handOver(): void {
    const socket = this.conn;
    const { readableLength } = socket;
    if (readableLength > 0) this.#early = socket.read(readableLength);
    this.#ready = Promise.withResolvers();
    this.#ready.promise.catch(() => {}); // ready() still rejects
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

  /**
   * Error that has ended the socket. After a reset, earlier bytes can still be read,
   * but a TCP socket has no address.
   */
  get failure(): unknown {
    const { destroyed, errored } = this.conn;
    if (destroyed) return errored ?? new Error("closed");
    if (this.#kind === "unknown") return undefined; // never had one
    return lostAddress(this.#admission.hop);
  }

  /** Asks the system, because nothing else reports a reset after the peer's end. */
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
    // The application holds the socket, so show no claim before `verify` accepts it.
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
    // As on a `TLSSocket`. Frameworks read only this to detect `https`.
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
    // Only if more bytes have arrived, because reading would restart the socket.
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
    // `delete` would make all later use of the socket slow.
    if (this.#push !== undefined) this.conn.push = this.#push;
    this.#push = undefined;
  }

  /**
   * Reads the header from the bytes that have arrived, and returns the rest to the
   * socket. It reads by length, because `read()` would emit 'end' if the peer has
   * ended its direction with the header. No listener would receive that event.
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

  /** Receives a chunk of the socket. `null` is its end. */
  #take(chunk: unknown): Header | undefined {
    if (chunk === null) return this.#admission.end();
    if (chunk instanceof Uint8Array) return this.#admission.push(chunk);
    throw new TypeError("the socket gives no bytes");
  }

  /**
   * Intercepts bytes when the runtime pushes them to the stream. A listener of
   * `'readable'` would change the flow state of a Node socket.
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
      // Code that reads the handle itself must not run while it is being read.
      const whole = header;
      queueMicrotask(() => this.#admission.settle(whole));
      return false; // reading stops until the next read()
    }
    if (!this.#admission.wantsBytes) return false; // rejected
    // An empty push, or the stream assumes that its last read is still pending.
    queueMicrotask(this.#ask);
    return push.call(socket, EMPTY);
  };
}

/** Stops ignoring the errors of a socket. Its application handles them from now on. */
export function release(socket: NodeSocket): void {
  socket.off("error", ignore);
}

function ignore(): void {}

/** Returns the peer. Call it early, because a closed socket has no peer. */
function peerOf(socket: NodeSocket, kind: Kind): Address {
  const { remoteAddress, remotePort } = socket;
  return remoteAddress === undefined && kind === "unix"
    ? unixAddress()
    : tcpAddress(remoteAddress, remotePort);
}

/** Kind of a socket. */
type Kind = "tcp" | "unix" | "unknown";

/**
 * Returns the kind of a socket by its handle and its server. Missing addresses do
 * not prove a UNIX socket. They are also missing on a TCP socket that was reset,
 * and on any other stream below TLS.
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

/** Whether a handle has lost its peer. False for a UNIX socket, which cannot be asked. */
function isDisconnected(handle: unknown): boolean {
  if (typeof handle !== "object" || handle === null) return false;
  // The method of the class, because the handle may have one that shows the client.
  const prototype: unknown = Object.getPrototypeOf(handle);
  if (typeof prototype !== "object" || prototype === null) return false;
  const getpeername: unknown = Reflect.get(prototype, "getpeername");
  return typeof getpeername === "function" &&
    Reflect.apply(getpeername, handle, [{}]) < 0;
}

/** Whether a server listens on a path. On Bun, handles do not show it. */
function isPath(server: unknown): boolean {
  return server instanceof Server && typeof server.address() === "string";
}

/** Whether the stream has ended. After 'end' is emitted, `unshift` is not possible. */
function hasEnded(socket: object): boolean {
  const state: unknown = Reflect.get(socket, "_readableState");
  return typeof state === "object" && state !== null &&
    Reflect.get(state, "ended") === true;
}
