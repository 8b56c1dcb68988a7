/** One peer of a chaos run: a connection of any kind, of which every byte and end is in its hands. */

import { once } from "node:events";
import { connect, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { connect as connectTls } from "node:tls";
import { concat, utf8 } from "../../_bytes.ts";
import { within } from "../../_within.ts";
import { gluedTo } from "../../on/bun/_client.ts";
import type { Kind } from "../../on/_service.ts";

/** Where peers go, and what is spoken there. */
export interface Target {
  /** A port of 127.0.0.1, or a path. */
  to: number | string;
  kind: Kind;
  /** Where TLS is, if anywhere. */
  tls: "none" | "around the header" | "after the header";
}

/** What asks a server whom it sees. */
export function question({ kind, tls }: Target): Uint8Array {
  switch (kind) {
    case "http":
    case "https":
      return utf8(
        "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
      );
    case "http2":
    case "http2 in TLS":
      return http2Question(tls === "none" ? 0x86 : 0x87);
    default:
      return utf8("the payload, to the last byte");
  }
}

/** Much that can be sent after the question, each part of which asks for an answer. */
export function flood(target: Target): Uint8Array {
  switch (target.kind) {
    case "http":
    case "https":
      return repeated(utf8("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"), 1000);
    case "http2":
    case "http2 in TLS":
      // Pings. After what breaks the protocol Node itself, without this library
      // too, keeps a descriptor of one in 50 such connections that come by
      // `emit("connection")`.
      return repeated(
        Uint8Array.of(0, 0, 8, 6, 0, 0, 0, 0, 0, ...Array(8)),
        500,
      );
    default:
      return new Uint8Array(1 << 20);
  }
}

function repeated(bytes: Uint8Array, times: number): Uint8Array {
  return concat(Array.from({ length: times }, () => bytes));
}

/** The shortest request of HTTP/2 (RFC 9113 and the static table of RFC 7541). */
function http2Question(scheme: number): Uint8Array {
  const authority = utf8("localhost");
  const fields = [0x82, scheme, 0x84, 0x41, authority.length, ...authority];
  return concat([
    utf8("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    Uint8Array.of(0, 0, 0, 4, 0, 0, 0, 0, 0),
    Uint8Array.of(0, 0, fields.length, 1, 5, 0, 0, 0, 1, ...fields),
  ]);
}

function dial({ to }: Target): Socket {
  const options = { allowHalfOpen: true, noDelay: true };
  return typeof to === "number"
    ? connect({ port: to, host: "127.0.0.1", ...options })
    : connect({ path: to, ...options });
}

function isQueueFull(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "EAGAIN";
}

/** A connection that a chaos run has made. */
export class Peer {
  readonly target: Target;
  /** Beneath TLS. */
  readonly raw: Socket;
  #stream: Duplex;
  #chunks: Uint8Array[] = [];
  readonly #closed = Promise.withResolvers<void>();
  #wake = () => {};

  private constructor(target: Target, raw: Socket) {
    this.target = target;
    this.raw = raw;
    this.#stream = raw;
    raw.on("error", () => {}); // a refusal may arrive as a reset
    raw.on("close", () => this.#close());
  }

  #isClosed = false;

  #close(): void {
    this.#isClosed = true;
    this.#closed.resolve();
    this.#wake();
  }

  /** Dials. The server counts this connection, whatever comes after. */
  static async dial(target: Target): Promise<Peer> {
    for (;;) {
      const peer = new Peer(target, dial(target));
      try {
        await within(once(peer.raw, "connect"), "a connection");
        return peer;
      } catch (error) {
        // The queue of a path is full: the server knows nothing of it.
        if (!isQueueFull(error)) throw error;
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    }
  }

  /** The port that it dialled from; 0 if it has none. */
  get port(): number {
    return this.raw.localPort ?? 0;
  }

  /** Reads from now on, so that the end of the connection is heard. */
  listen(): void {
    this.#stream.on("data", (chunk: Uint8Array) => {
      this.#chunks.push(chunk);
      this.#wake();
    });
    this.#stream.on("end", () => this.#wake());
  }

  /** Reads no more: the window of TCP goes to zero. */
  deafen(): void {
    this.#stream.pause();
  }

  /** Begins TLS, of which the first bytes follow `glued` at once; false if it failed. */
  async beginTls(glued: Uint8Array = new Uint8Array()): Promise<boolean> {
    const isHttp2 = this.target.kind === "http2 in TLS";
    const tls = connectTls({
      socket: gluedTo(glued, this.raw),
      rejectUnauthorized: false,
      ALPNProtocols: isHttp2 ? ["h2"] : ["http/1.1"],
    });
    this.#stream = tls;
    tls.on("error", () => {});
    const { promise, resolve } = Promise.withResolvers<boolean>();
    tls.once("secureConnect", () => resolve(true));
    tls.once("close", () => resolve(false));
    this.#closed.promise.then(() => resolve(false));
    return await within(promise, "a TLS handshake");
  }

  /**
   * Writes; nobody waits for it, since a server that does not read would be
   * waited for. Nothing is no write: Bun itself never tells the end that follows
   * an empty record of TLS.
   */
  send(bytes: Uint8Array): void {
    if (bytes.length > 0 && !this.#stream.destroyed) this.#stream.write(bytes);
  }

  /** Ends the sending direction. */
  end(): void {
    this.#stream.end();
  }

  /** Ends both directions by a reset; of a UNIX socket by an end. */
  reset(): void {
    if (typeof this.target.to === "number") this.raw.resetAndDestroy();
    else this.raw.destroy();
  }

  /** Closes both directions. */
  close(): void {
    this.raw.destroy();
  }

  /** Waits until the server has closed the connection, or has ended it. */
  async closed(): Promise<void> {
    this.raw.once("end", () => this.#closed.resolve());
    await within(this.#closed.promise, "the server to close");
  }

  /** Waits until a text has come, then gives all that has come; fails at the end. */
  async until(text: string): Promise<string> {
    const decoder = new TextDecoder();
    const work = async () => {
      for (;;) {
        const received = decoder.decode(concat(this.#chunks));
        if (received.includes(text)) return received;
        if (this.#isClosed || this.#stream.readableEnded) {
          throw new Error(`Closed before ${text} came, after ${received}`);
        }
        await new Promise<void>((resolve) => this.#wake = resolve);
      }
    };
    return await within(work(), text);
  }
}
