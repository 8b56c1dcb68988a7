import { EMPTY } from "../../codec/internal.ts";
import type { EncodeOptions, ProxyHeader } from "../../codec/mod.ts";
import type { BunConn } from "./conn.ts";
import { toBytes } from "./payload.ts";
import { BunPipe } from "./pipe.ts";
import type { BunHandlers, BunRelayTarget, BunSocket } from "./types.ts";
import { headerBytes } from "../sending/header_bytes.ts";
import type { RelayResult } from "../sending/types.ts";

/** What `Bun.connect` gives. */
interface TargetSocket extends BunSocket {
  readonly data: BunRelay;
}

interface TargetHandlers extends Omit<BunHandlers<TargetSocket>, "open"> {
  open(socket: TargetSocket): void;
}

/** As much of it as is needed. */
declare const Bun: {
  connect(
    options: BunRelayTarget & {
      allowHalfOpen: boolean;
      data: BunRelay;
      socket: TargetHandlers;
    },
  ): Promise<unknown>;
};

/** The same for all relays: the runtime takes handlers that it knows faster. */
const TARGET_HANDLERS: TargetHandlers = {
  open: (socket) => socket.data.open(socket),
  handshake: (socket, success, error) =>
    socket.data.secure(socket, success ? undefined : error),
  data: (socket, payload) => socket.data.down.data(socket, payload),
  drain: (socket) => socket.data.up.flush(),
  end: (socket) => socket.data.down.end(),
  close: (socket, error) => socket.data.closeTarget(error),
  error: (socket, error) => socket.data.fail(error),
};

/** A client, its target, and what goes on between them. */
export class BunRelay {
  /** From the client to the target. */
  readonly up: BunPipe = new BunPipe(() => this.#onOver(this.#target));
  /** From the target to the client. */
  readonly down: BunPipe = new BunPipe(() => this.#onOver(this.#client));
  readonly #client: BunSocket;
  readonly #halfOpenTimeout: number;
  readonly #closed = Promise.withResolvers<void>();
  #target: TargetSocket | undefined;
  #header: Uint8Array = EMPTY;
  #conn: BunConn<BunSocket> | undefined;
  #isTargetTls = false;
  #hasStarted = false;
  #isClientClosed = false;
  #isTargetClosed = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #error: unknown;

  constructor(client: BunSocket, halfOpenTimeout: number) {
    this.#client = client;
    this.#halfOpenTimeout = halfOpenTimeout;
  }

  /** Resolves when both ends are closed. */
  get closed(): Promise<void> {
    return this.#closed.promise;
  }

  /** What has been done so far. */
  get result(): RelayResult {
    return {
      sent: Math.max(this.up.written, 0), // less than 0 within the header
      received: this.down.written,
      ...(this.#error !== undefined && { error: this.#error }),
    };
  }

  /** Takes the client over. */
  takeOver(conn: BunConn<BunSocket>): void {
    this.#conn = conn;
    conn.leaveTo({
      data: (socket, payload) => this.up.data(socket, toBytes(payload)),
      drain: () => this.down.flush(),
      end: () => this.up.end(),
      close: (_, error) => {
        this.#isClientClosed = true;
        this.#close(this.up, this.down, error);
      },
      error: (_, error) => this.fail(error),
    });
    this.#client.resume(); // the application may have paused it
  }

  /** Connects to the target, to begin with a header where there is one. */
  async dial(
    target: BunRelayTarget,
    header: ProxyHeader | undefined,
    options: EncodeOptions,
  ): Promise<void> {
    try {
      if (header !== undefined) this.#header = headerBytes(header, options);
      this.#isTargetTls = Boolean(target.tls);
      await Bun.connect({
        ...target,
        allowHalfOpen: true,
        data: this,
        socket: TARGET_HANDLERS,
      });
    } catch (error) {
      this.fail(error);
    }
  }

  /** Takes the target, which may have come too late. */
  open(target: TargetSocket): void {
    if (this.#isTargetClosed) return target.terminate();
    this.#target = target;
    if (!this.#isTargetTls) this.#start(target);
  }

  /** Takes the end of the handshake: a server that is refused hears nothing. */
  secure(target: TargetSocket, failure: Error | null | undefined): void {
    if (this.#hasStarted) return; // one more that the server has asked for
    if (failure === undefined) this.#start(target);
    else this.fail(failure);
  }

  /** Takes the end of the connection to the target. */
  closeTarget(error: Error | undefined): void {
    this.#isTargetClosed = true;
    this.#close(this.down, this.up, error);
  }

  /** Closes both ends at once. */
  fail(error: unknown): void {
    this.#error ??= error;
    this.up.drop();
    this.down.drop();
    this.#terminate();
  }

  /** Begins to copy. */
  #start(target: TargetSocket): void {
    this.#hasStarted = true;
    this.up.start(target, this.#header);
    this.down.start(this.#client, EMPTY);
  }

  /** An end is closed: `out` is what came of it, `back` what went there. */
  #close(out: BunPipe, back: BunPipe, error: Error | undefined): void {
    if (error !== undefined && !(out.isOver && back.isOver)) {
      this.#error ??= error;
      if (!out.hasEnded) this.fail(error);
    }
    out.end();
    back.drop();
    this.#settle();
  }

  /** Nothing more is to be written to `to`: passes the end on. */
  #onOver(to: BunSocket | undefined): void {
    if (this.up.isOver && this.down.isOver) {
      this.#end("shutdown");
      return;
    }
    to?.shutdown();
    if (this.#halfOpenTimeout !== Infinity) {
      this.#timer = setTimeout(() => this.#terminate(), this.#halfOpenTimeout);
    }
  }

  #terminate(): void {
    this.#end("terminate");
    this.#isTargetClosed ||= this.#target === undefined;
    this.#settle();
  }

  /** In TLS, `end` waits for the other side, and nothing stops that any more. */
  #end(tlsCall: "shutdown" | "terminate"): void {
    this.#client[this.#conn?.isTls ? tlsCall : "end"]();
    this.#target?.[this.#isTargetTls ? tlsCall : "end"]();
  }

  #settle(): void {
    if (!this.#isClientClosed || !this.#isTargetClosed) return;
    clearTimeout(this.#timer);
    this.#closed.resolve();
  }
}
