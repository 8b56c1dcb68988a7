import { closeQuietly, type ProxiedConn } from "../proxied_conn.ts";
import type { Client } from "./client.ts";
import { LOOPBACK } from "./loopback.ts";

/**
 * How long a client may send nothing, in ms, after the server has closed: it is
 * closed then. If it were closed while it sends, a reset could overtake the
 * response.
 */
const QUIET = 250;

/** How long a client may go on sending then, in ms. */
const LONGEST_LINGER = 2000;

/** Size of the buffer that each direction copies through, in bytes. */
const BUFFER_SIZE = 65536;

/** Its size until a read has filled it: most connections never need more. */
const FIRST_BUFFER_SIZE = 4096;

/** A connection of the public listener. */
export type FrontConn = ProxiedConn<Deno.TcpConn | Deno.UnixConn>;

/**
 * The connections to the internal server, one for each client.
 *
 * The server knows the client of a request by our port, so a port must mean one
 * client for as long as the server may dispatch a request of it:
 *
 * - The port is registered before the first byte is sent.
 * - A client that is gone ends our sending direction, and no more. The port is
 *   released when the server has closed its own end.
 */
export class Links {
  /** By our port towards the internal server. */
  readonly #clients = new Map<number, Client>();
  readonly #links = new Set<Link>();
  #isRef = true;

  /** Finds the client of a connection, by the address that the server sees. */
  clientAt({ hostname, port }: Deno.NetAddr): Client | undefined {
    return hostname === LOOPBACK ? this.#clients.get(port) : undefined;
  }

  /** Copies both ways until both sides have ended, and closes both. */
  async run(conn: FrontConn, target: Deno.TcpConn): Promise<void> {
    const { port } = target.localAddr;
    const { info, hopAddr, remoteAddr } = conn;
    this.#clients.set(port, { info, hopAddr, remoteAddr });
    const link = new Link(conn, target, () => this.#clients.delete(port));
    this.#links.add(link);
    if (!this.#isRef) link.unref();
    await link.run();
    this.#links.delete(link);
  }

  /** Closes everything, when no connection to the internal server will follow. */
  abort(): void {
    for (const link of this.#links) link.abort();
  }

  /** Keeps the process alive. */
  ref(): void {
    this.#isRef = true;
    for (const link of this.#links) link.ref();
  }

  /** Lets the process end. */
  unref(): void {
    this.#isRef = false;
    for (const link of this.#links) link.unref();
  }
}

/** A client and our connection to the internal server for it. */
class Link {
  readonly #conn: FrontConn;
  readonly #target: Deno.TcpConn;
  readonly #onServerEnd: () => void;
  #isClientGone = false;
  /** Reads of the client so far. */
  #reads = 0;

  constructor(conn: FrontConn, target: Deno.TcpConn, onServerEnd: () => void) {
    this.#conn = conn;
    this.#target = target;
    this.#onServerEnd = onServerEnd;
  }

  /** Runs until both sides have ended; never rejects. */
  async run(): Promise<void> {
    const sent = this.#sendRequests();
    await this.#sendResponses();
    this.#onServerEnd();
    closeQuietly(this.#target);
    if (!this.#isClientGone) {
      await this.#conn.closeWrite().catch(() => {});
      await this.#linger(sent);
    }
    this.#conn.close();
    await sent;
  }

  /** Waits until the client has ended its side, or is quiet. */
  async #linger(sent: Promise<void>): Promise<void> {
    const end = performance.now() + LONGEST_LINGER;
    for (;;) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, QUIET);
      const reads = this.#reads;
      await Promise.race([sent, promise]);
      clearTimeout(timer);
      if (this.#reads === reads || performance.now() > end) return;
    }
  }

  /** Copies from the client to its end, and passes the end on. */
  async #sendRequests(): Promise<void> {
    let isServerGone = false;
    let buffer = new Uint8Array(FIRST_BUFFER_SIZE);
    try {
      for (;;) {
        const count = await this.#conn.read(buffer);
        if (count === null) break;
        this.#reads++;
        // What a server that has closed will not read is thrown away.
        if (isServerGone) continue;
        isServerGone = !await writeAll(this.#target, buffer.subarray(0, count));
        buffer = nextBuffer(buffer, count);
      }
    } catch {
      this.#isClientGone = true;
    }
    // The server may have closed the connection.
    await this.#target.closeWrite().catch(() => {});
  }

  /** Copies from the server to its end, also when nobody takes it any more. */
  async #sendResponses(): Promise<void> {
    let buffer = new Uint8Array(FIRST_BUFFER_SIZE);
    try {
      for (;;) {
        const count = await this.#target.read(buffer);
        if (count === null) return;
        if (this.#isClientGone) continue;
        const isSent = await writeAll(this.#conn, buffer.subarray(0, count));
        // Reading the client tells it too, which ends the requests.
        if (!isSent) this.#isClientGone = true;
        buffer = nextBuffer(buffer, count);
      }
    } catch {
      // The server has reset the connection, which is an end too.
    }
  }

  /** Closes both sides. */
  abort(): void {
    this.#conn.close();
    closeQuietly(this.#target);
  }

  ref(): void {
    this.#conn.ref();
    this.#target.ref();
  }

  unref(): void {
    this.#conn.unref();
    this.#target.unref();
  }
}

/** Writes all bytes; returns false if the other end takes no more. */
async function writeAll(
  to: Pick<Deno.Conn, "write">,
  bytes: Uint8Array,
): Promise<boolean> {
  try {
    for (let at = 0; at < bytes.length;) {
      at += await to.write(at === 0 ? bytes : bytes.subarray(at));
    }
    return true;
  } catch {
    return false;
  }
}

/** Returns a large buffer after a read that has filled a small one. */
function nextBuffer(
  buffer: Uint8Array<ArrayBuffer>,
  count: number,
): Uint8Array<ArrayBuffer> {
  const isFull = count === buffer.length && count < BUFFER_SIZE;
  return isFull ? new Uint8Array(BUFFER_SIZE) : buffer;
}
