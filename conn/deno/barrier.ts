import { callsOfDeno } from "./calls.ts";
import { LOOPBACK } from "./loopback.ts";

/** What an internal server answers at once: a request of a stranger, or no TLS at all. */
const QUESTION = new TextEncoder().encode(
  "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
);

/**
 * Waits until an internal server has no request left from another process that used
 * our port before.
 *
 * When a process resets its connection to the internal server, its port is free at
 * once, although the server may not have read its request yet. If we then receive
 * that port, the request would be dispatched as a request of our client. This
 * happened to 49 of 43,000 requests, with 20 ports.
 *
 * The server accepts connections in order. When it answers a connection that was
 * opened after ours, it has dispatched all requests from before ours.
 *
 * Connections that are opened at the same time share one question.
 */
export class Barrier {
  readonly #port: number;
  #current: Promise<void> = Promise.resolve();
  /** Of the question that has not been asked yet. */
  #next: Promise<void> | undefined;

  /** Asks the server at a port of loopback. */
  constructor(port: number) {
    this.#port = port;
  }

  /** Resolves when a question is answered that is asked from now on. */
  pass(): Promise<void> {
    this.#next ??= this.#askNext();
    return this.#next;
  }

  async #askNext(): Promise<void> {
    await this.#current.catch(() => {}); // those who waited for it know
    this.#current = this.#next ?? this.#current;
    this.#next = undefined;
    await this.#ask();
  }

  async #ask(): Promise<void> {
    using conn = await callsOfDeno().connect({
      hostname: LOOPBACK,
      port: this.#port,
      autoSelectFamily: false,
    });
    const buffer = new Uint8Array(512);
    try {
      await conn.write(QUESTION);
      while (await conn.read(buffer) !== null);
    } catch {
      // A reset is an answer as well.
    }
  }
}
