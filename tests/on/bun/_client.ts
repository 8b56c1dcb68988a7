/** What dials a listener under test, over `node:net` and `node:tls`, and waits. */

import { readFileSync } from "node:fs";
import { connect, Socket, type TcpNetConnectOpts } from "node:net";
import { Duplex } from "node:stream";
import { connect as connectTls } from "node:tls";
import { concat } from "../../_bytes.ts";
import { within } from "../../_within.ts";

export { assertBytes, concat, pattern, utf8 } from "../../_bytes.ts";
export { within } from "../../_within.ts";

function pem(name: string): string {
  const url = new URL(`../../data/${name}.pem`, import.meta.url);
  return readFileSync(url, "utf8");
}

/** A certificate of `localhost` with its key, in PEM. */
export const KEY_PAIR = { cert: pem("cert"), key: pem("key") };

/** Items that one side adds and the other waits for, one by one. */
export class Queue<T> {
  readonly #items: T[] = [];
  readonly #waiting: ((item: T) => void)[] = [];

  get size(): number {
    return this.#items.length;
  }

  add(item: T): void {
    const waiting = this.#waiting.shift();
    if (waiting) waiting(item);
    else this.#items.push(item);
  }

  async next(what: string): Promise<T> {
    const item = this.#items.shift();
    if (item !== undefined) return item;
    const { promise, resolve } = Promise.withResolvers<T>();
    this.#waiting.push(resolve);
    return await within(promise, what);
  }
}

/** The far end of a connection; collects what it receives. */
export class Client {
  readonly stream: Duplex;
  /** The port that it dialled from; 0 where it has none. */
  port = 0;
  readonly #chunks: Uint8Array[] = [];
  #length = 0;
  #wake = () => {};
  readonly #ended = Promise.withResolvers<void>();

  constructor(stream: Duplex) {
    this.stream = stream;
    stream.on("data", (chunk: Uint8Array) => {
      this.#chunks.push(chunk);
      this.#length += chunk.length;
      this.#wake();
    });
    stream.on("error", () => {}); // a refusal may arrive as a reset
    for (const event of ["end", "close"]) {
      stream.on(event, () => this.#ended.resolve());
    }
  }

  /** Dials a port of 127.0.0.1, a path, or by options. */
  static async dial(
    to: number | string | TcpNetConnectOpts,
  ): Promise<Client> {
    const peer = typeof to === "number"
      ? connect(to, "127.0.0.1")
      : typeof to === "string"
      ? connect(to)
      : connect(to);
    const client = new Client(peer);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    peer.once("connect", resolve).once("error", reject);
    await within(promise, "a connection");
    peer.setNoDelay(true);
    client.port = peer.localPort ?? 0;
    return client;
  }

  /** Dials TLS, over a stream where one is given. */
  static async dialTls(to: number | Duplex): Promise<Client> {
    const secure = connectTls({
      ...(typeof to === "number"
        ? { port: to, host: "127.0.0.1" }
        : { socket: to }),
      servername: "localhost",
      ca: KEY_PAIR.cert,
    });
    const client = new Client(secure);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    secure.once("secureConnect", resolve).once("error", reject);
    await within(promise, "a TLS handshake");
    client.port = secure.localPort ?? 0;
    return client;
  }

  /** Writes, and waits until the system has taken it. */
  async send(bytes: Uint8Array | string): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.stream.write(
      bytes,
      (error) => error ? reject(error) : resolve(),
    );
    await within(promise, "a write");
  }

  /** The first `length` bytes that were received. */
  async receive(length: number): Promise<Uint8Array> {
    await within(
      (async () => {
        while (this.#length < length) {
          await new Promise<void>((resolve) => this.#wake = resolve);
        }
      })(),
      `${length} bytes to arrive`,
    );
    return this.received();
  }

  /** Everything until the connection ends. */
  async receiveAll(): Promise<Uint8Array> {
    await within(this.#ended.promise, "the end of the connection");
    return this.received();
  }

  received(): Uint8Array {
    return concat(this.#chunks);
  }

  end(): void {
    this.stream.end();
  }

  /** Ends both directions by a reset. */
  reset(): void {
    if (!(this.stream instanceof Socket)) throw new TypeError("No socket");
    this.stream.resetAndDestroy();
  }

  close(): void {
    this.stream.destroy();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** A stream to `peer` of which the first write comes right behind `first`. */
export function gluedTo(first: Uint8Array, peer: Duplex): Duplex {
  let before = first;
  const glued = new Duplex({
    read() {},
    write(chunk: Uint8Array, _encoding, done) {
      peer.write(concat([before, chunk]), done);
      before = new Uint8Array();
    },
    final(done) {
      peer.end();
      done();
    },
  });
  peer.on("data", (chunk: Uint8Array) => glued.push(chunk));
  peer.on("end", () => glued.push(null));
  peer.on("error", () => {});
  return glued;
}
