/**
 * Connections over loopback, with ports that the system chooses. Whatever is
 * opened here is closed by `using`.
 *
 * @module
 */

import { assertEquals, assertRejects } from "@std/assert";
import {
  ProxyProtocolError,
  type ProxyProtocolError as Refusal,
  type ProxyProtocolErrorCode,
} from "../../mod.ts";

/** What a connection runs over. */
export type Carrier = "tcp" | "tls" | "unix";

/** All of them. */
export const CARRIERS: readonly Carrier[] = ["tcp", "tls", "unix"];

/** Trusts every peer that a {@link Loopback} has. */
export const TRUST: readonly string[] = ["127.0.0.1", "::1", "unix"];

/** A self-signed certificate for sni.example, localhost and 127.0.0.1. */
export const CERT: string = readText("../data/cert.pem");

/** Its key. */
export const KEY: string = readText("../data/key.pem");

/** Whether `::1` can be listened on. */
export const HAS_IPV6: boolean = hasIpv6();

/** Both ends of a connection. */
export interface Pair<C extends Deno.Conn = Deno.Conn> extends Disposable {
  /** The end that sends the header. */
  client: C;
  /** The end that is given to `accept`. */
  server: C;
}

/** A listener, and connections to it. */
export class Loopback<C extends Deno.Conn = Deno.Conn> implements Disposable {
  readonly #listener: Disposable & { accept(): Promise<C> };
  readonly #connect: () => Promise<C>;
  readonly #close: () => void;
  #opened: Promise<unknown> = Promise.resolve();

  /** Listens; the functions below do it. */
  constructor(
    listener: Disposable & { accept(): Promise<C> },
    connect: () => Promise<C>,
    close: () => void = () => {},
  ) {
    this.#listener = listener;
    this.#connect = connect;
    this.#close = close;
  }

  /** Makes a connection. */
  async pair(): Promise<Pair<C>> {
    using opened = new DisposableStack();
    // One after the other, so that both ends are of one connection.
    const opening = this.#opened.then(() =>
      Promise.all([this.#listener.accept(), this.#connect()])
    );
    this.#opened = opening;
    const [server, client] = await opening;
    opened.use(server);
    opened.use(client);
    if (isTls(server) && isTls(client)) {
      // Until then a write of either end waits for a read of the other.
      await Promise.all([server.handshake(), client.handshake()]);
    }
    const ends = opened.move();
    return { client, server, [Symbol.dispose]: () => ends.dispose() };
  }

  [Symbol.dispose](): void {
    this.#listener[Symbol.dispose]();
    this.#close();
  }
}

/** Listens for TCP. */
export function tcpLoopback(
  listenOn = "127.0.0.1",
  connectTo = listenOn,
): Loopback<Deno.TcpConn> {
  const listener = Deno.listen({ hostname: listenOn, port: 0 });
  const { port } = listener.addr;
  return new Loopback(
    listener,
    () => Deno.connect({ hostname: connectTo, port }),
  );
}

/** Listens for TLS; a header is then inside it. */
export function tlsLoopback(): Loopback<Deno.TlsConn> {
  const hostname = "127.0.0.1";
  const listener = Deno.listenTls({ hostname, port: 0, cert: CERT, key: KEY });
  const { port } = listener.addr;
  return new Loopback(
    listener,
    () => Deno.connectTls({ hostname, port, caCerts: [CERT] }),
  );
}

/** Listens on a UNIX socket, in a directory of its own. */
export function unixLoopback(): Loopback<Deno.UnixConn> {
  const directory = Deno.makeTempDirSync();
  const address = { transport: "unix", path: `${directory}/socket` } as const;
  return new Loopback(
    Deno.listen(address),
    () => Deno.connect(address),
    () => Deno.removeSync(directory, { recursive: true }),
  );
}

/** Listens for connections over a carrier. */
export function loopback(carrier: Carrier): Loopback {
  if (carrier === "tcp") return tcpLoopback();
  return carrier === "tls" ? tlsLoopback() : unixLoopback();
}

/** A single connection. */
export async function pairOver(carrier: Carrier): Promise<Pair> {
  using listening = loopback(carrier);
  return await listening.pair();
}

/** A single TCP connection. */
export async function tcpPair(): Promise<Pair<Deno.TcpConn>> {
  using listening = tcpLoopback();
  return await listening.pair();
}

/**
 * Does work for each item, many at once: over TLS each waits twice for 40 ms,
 * for an acknowledgement that the system delays.
 */
export async function forEachAtOnce<T>(
  items: Iterable<T>,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const waiting = items[Symbol.iterator]();
  const workers = Array.from({ length: 64 }, async () => {
    for (;;) {
      const next = waiting.next();
      if (next.done) return;
      await work(next.value);
    }
  });
  await Promise.all(workers);
}

/** Writes all of `bytes`. */
export async function send(
  conn: Pick<Deno.Conn, "write">,
  bytes: Uint8Array,
): Promise<void> {
  for (let at = 0; at < bytes.length;) {
    at += await conn.write(bytes.subarray(at));
  }
}

/**
 * Sends each part when the server has read the one before and asks for more, so
 * that no two of them can arrive as one. How much was read is `taken`.
 */
export function sendInParts(
  { client, server }: Pair,
  parts: Iterable<Uint8Array>,
): { readonly taken: number } {
  const read = server.read.bind(server);
  const waiting = parts[Symbol.iterator]();
  const counts = { taken: 0 };
  let sent = 0;
  server.read = async (p) => {
    if (sent === counts.taken) {
      const { value } = waiting.next();
      if (value !== undefined) {
        sent += value.length;
        await send(client, value);
      }
    }
    const count = await read(p);
    counts.taken += count ?? 0;
    return count;
  };
  return counts;
}

/** Waits until so many bytes of a connection have been read, and more are asked for. */
export function untilAskedAfter(
  count: number,
  conn: Pick<Deno.Conn, "read">,
): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const read = conn.read.bind(conn);
  let taken = 0;
  conn.read = async (p) => {
    if (taken >= count) resolve();
    const length = await read(p);
    taken += length ?? 0;
    return length;
  };
  return promise;
}

/** `bytes` one by one. */
export function* singly(bytes: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at++) yield bytes.subarray(at, at + 1);
}

/** Reads `count` bytes, or what comes until the end. */
export async function receive(
  conn: Pick<Deno.Conn, "read">,
  count: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(count);
  let length = 0;
  while (length < count) {
    const taken = await conn.read(bytes.subarray(length));
    if (taken === null) break;
    length += taken;
  }
  return bytes.subarray(0, length);
}

/** Reads to the end. */
export async function receiveAll(
  conn: Pick<Deno.Conn, "read">,
): Promise<Uint8Array<ArrayBuffer>> {
  let bytes = new Uint8Array(65536);
  let length = 0;
  for (;;) {
    const count = await conn.read(bytes.subarray(length));
    if (count === null) return bytes.subarray(0, length);
    length += count;
    if (length < bytes.length) continue;
    const grown = new Uint8Array(2 * bytes.length);
    grown.set(bytes);
    bytes = grown;
  }
}

/**
 * Waits until the other end has closed, and makes sure that it sent nothing
 * before: an end, or a reset where it left bytes unread.
 */
export async function assertClosed(
  conn: Pick<Deno.Conn, "read">,
): Promise<void> {
  let received: number | null;
  try {
    received = await conn.read(new Uint8Array(1));
  } catch (error) {
    const isEnd = error instanceof Deno.errors.ConnectionReset ||
      error instanceof Deno.errors.UnexpectedEof; // TLS without its last word
    if (!isEnd) throw error;
    received = null;
  }
  assertEquals(received, null);
}

/** Counts how often a connection is closed. */
export function countCloses(conn: Deno.Conn): { readonly closes: number } {
  const close = conn.close.bind(conn);
  const counts = { closes: 0 };
  conn.close = () => {
    counts.closes++;
    close();
  };
  return counts;
}

/** Makes sure that a connection is refused for a reason; why, in full. */
export async function assertRefused(
  accepting: Promise<unknown>,
  code: ProxyProtocolErrorCode,
): Promise<Refusal> {
  const error = await assertRejects(() => accepting, ProxyProtocolError);
  assertEquals(error.code, code, error.message);
  return error;
}

function isTls(conn: Deno.Conn): conn is Deno.TlsConn {
  return "handshake" in conn;
}

function hasIpv6(): boolean {
  try {
    Deno.listen({ hostname: "::1", port: 0 }).close();
    return true;
  } catch {
    return false;
  }
}

function readText(path: string): string {
  return Deno.readTextFileSync(new URL(path, import.meta.url));
}
