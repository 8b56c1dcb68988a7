import { EMPTY } from "../../codec/internal.ts";
import type { BunConn } from "./conn.ts";
import { toBytes } from "./payload.ts";
import { BunPipe, type PipeOwner } from "./pipe.ts";
import type { BunHandlers, BunRelayTarget, BunSocket } from "./types.ts";
import { resetError } from "../admission/refusal.ts";
import { Waits } from "../admission/waits.ts";
import { headerBytes } from "../sending/header_bytes.ts";
import { IdleWatch } from "../sending/idle_watch.ts";
import { isReset } from "../sending/is_reset.ts";
import type { RelayPlan } from "../sending/read_options.ts";
import { relayedHeader } from "../sending/relayed_header.ts";
import type { RelayResult } from "../sending/types.ts";

/** Socket that `Bun.connect` opens. */
interface TargetSocket extends BunSocket {
  readonly data: BunRelay;
  setKeepAlive(on: boolean, initialDelay: number): unknown;
}

interface TargetHandlers extends Omit<BunHandlers<TargetSocket>, "open"> {
  open(socket: TargetSocket): void;
}

/** Members of `Bun` that are used. */
declare const Bun: {
  connect(
    options: BunRelayTarget & {
      allowHalfOpen: boolean;
      data: BunRelay;
      socket: TargetHandlers;
    },
  ): Promise<unknown>;
};

/** Shared by all relays, because the runtime is faster with handlers that it knows. */
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

/** A client, its target, and the two directions between them. */
export class BunRelay implements PipeOwner {
  /** From the client to the target. */
  readonly up: BunPipe = new BunPipe(this);
  /** From the target to the client. */
  readonly down: BunPipe = new BunPipe(this);
  readonly #client: BunSocket;
  readonly #conn: BunConn<BunSocket>;
  readonly #plan: RelayPlan;
  readonly #closed = Promise.withResolvers<void>();
  #target: TargetSocket | undefined;
  #header: Uint8Array = EMPTY;
  #keepAlive: number | undefined;
  #isTargetTls = false;
  #hasStarted = false;
  #isClientClosed = false;
  #isTargetClosed = false;
  #hasFailed = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #error: unknown;

  constructor(
    client: BunSocket,
    conn: BunConn<BunSocket>,
    plan: RelayPlan,
  ) {
    this.#client = client;
    this.#conn = conn;
    this.#plan = plan;
  }

  /** Relays until both ends are closed. */
  async run(target: BunRelayTarget): Promise<RelayResult> {
    const { signal } = this.#plan;
    const work = () => {
      this.#begin(target);
      return this.#closed.promise;
    };
    this.#takeOver();
    const watch = new IdleWatch(
      this.#plan.idleTimeout,
      () => this.up.written + this.down.written,
      (error) => this.fail(error),
    );
    if (signal === undefined) await work();
    else {
      const waits = new Waits({ timeout: Infinity, signal });
      await waits.within(work).catch((error) => this.fail(error));
      waits.close();
      await this.#closed.promise;
    }
    watch.stop();
    return {
      sent: Math.max(this.up.written, 0), // less than 0 within the header
      received: this.down.written,
      ...(this.#error !== undefined && { error: this.#error }),
    };
  }

  #takeOver(): void {
    this.#conn.leaveTo({
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

  /** Connects to the target, as soon as the header to send is known. */
  #begin(target: BunRelayTarget): void {
    const isTold = this.#plan.send !== undefined;
    if (this.#conn.isAwaited) {
      this.#conn.ready.then(
        () => isTold ? this.#dial(target) : undefined,
        (error) => this.fail(error),
      );
      if (isTold) return;
    }
    this.#dial(target);
  }

  async #dial(target: BunRelayTarget): Promise<void> {
    if (this.#hasFailed) return;
    const { ends, info } = this.#conn;
    try {
      if (this.#plan.send !== undefined) {
        const header = relayedHeader({ info, ...ends }, this.#plan);
        this.#header = headerBytes(header, this.#plan);
      }
      this.#keepAlive = target.keepAlive;
      const tls = tlsOf(target);
      this.#isTargetTls = Boolean(tls);
      await Bun.connect({
        ...target,
        tls,
        allowHalfOpen: true,
        data: this,
        socket: TARGET_HANDLERS,
      });
    } catch (error) {
      this.fail(error);
    }
  }

  /** Receives the connected target. The relay may have ended before. */
  open(target: TargetSocket): void {
    if (this.#isTargetClosed) return target.terminate();
    this.#target = target;
    if (this.#keepAlive !== undefined) {
      target.setKeepAlive(true, this.#keepAlive);
    }
    if (!this.#isTargetTls) this.#start(target);
  }

  /** Receives the end of the handshake. An unverified server is sent nothing. */
  secure(target: TargetSocket, failure: Error | null | undefined): void {
    if (this.#hasStarted) return; // the server has requested another handshake
    if (failure === undefined) this.#start(target);
    else this.fail(failure);
  }

  /** Receives the end of the connection to the target. */
  closeTarget(error: Error | undefined): void {
    this.#isTargetClosed = true;
    this.#close(this.down, this.up, error);
  }

  /** Closes both ends at once, by a reset if an orderly end would be wrong. */
  fail(error: unknown): void {
    if (this.#hasFailed) return;
    this.#hasFailed = true;
    this.#error ??= error;
    this.up.drop();
    this.down.drop();
    if (isReset(error, this.#hasStarted)) {
      this.#client.terminate();
      this.#target?.terminate();
      this.#settleAll();
    } else this.#terminate();
  }

  /** Handles the end of a connection that a write has found. */
  lose(pipe: BunPipe): void {
    this.#close(pipe === this.up ? this.down : this.up, pipe, resetError());
  }

  /** Begins to copy. */
  #start(target: TargetSocket): void {
    this.#hasStarted = true;
    this.up.start(target, this.#header);
    this.down.start(this.#client, EMPTY);
  }

  /** Handles a closed end. `out` is the direction from that end, `back` to that end. */
  #close(out: BunPipe, back: BunPipe, error: Error | undefined): void {
    if (error !== undefined && !(out.isOver && back.isOver)) {
      this.#error ??= error;
      // Bytes that the end sent before it closed are still forwarded.
      if (!out.hasEnded || out.isOver) this.fail(error);
    }
    out.end();
    back.drop();
    this.#settle();
  }

  /** Forwards the end of a direction. */
  pass(pipe: BunPipe): void {
    if (this.#hasFailed) return;
    if (this.up.isOver && this.down.isOver) {
      this.#end("shutdown");
      return;
    }
    (pipe === this.up ? this.#target : this.#client)?.shutdown();
    const { halfOpenTimeout } = this.#plan;
    if (halfOpenTimeout !== Infinity) {
      this.#timer = setTimeout(() => this.#terminate(), halfOpenTimeout);
    }
  }

  #terminate(): void {
    this.#end("terminate");
    this.#settleAll();
  }

  /** Settles both ends, without waiting for a target that is not connected yet. */
  #settleAll(): void {
    this.#isTargetClosed ||= this.#target === undefined;
    this.#settle();
  }

  /** Closes both ends. In TLS, `end` would wait for the other side without a limit. */
  #end(tlsCall: "shutdown" | "terminate"): void {
    this.#client[this.#conn.isTls ? tlsCall : "end"]();
    this.#target?.[this.#isTargetTls ? tlsCall : "end"]();
  }

  #settle(): void {
    if (!this.#isClientClosed || !this.#isTargetClosed) return;
    clearTimeout(this.#timer);
    this.#closed.resolve();
  }
}

/** Returns TLS options with at least one that Bun knows, or Bun begins no TLS. */
function tlsOf({ tls = false }: BunRelayTarget): boolean | object {
  return typeof tls === "object" ? { rejectUnauthorized: true, ...tls } : tls;
}
