import { EMPTY } from "../../codec/internal.ts";
import { bufferAfter } from "../_buffer_size.ts";
import { closeQuietly } from "../proxied_conn.ts";
import { type Client, clientOf, type FrontConn } from "./client.ts";
import { LOOPBACK } from "./loopback.ts";

/**
 * Time in ms without bytes from the client, after the server has closed, until the
 * client is closed. Closing it while it sends could cause a reset that overtakes
 * the response.
 */
const QUIET = 250;

/** Longest time in ms that a client may continue to send after that. */
const LONGEST_LINGER = 2000;

/**
 * Time in ms to answer a client that has ended its side, before the end is forwarded
 * to the server. After that the server answers no more. Without the copying,
 * `Deno.serve` answers such a client if the handler returns at once.
 */
const HALF_CLOSE_DELAY = 10;

/** First buffer of each direction, in bytes: nearly all requests fit. */
const FIRST_BUFFER_SIZE = 4096;

/**
 * The connections to the internal server, one for each client.
 *
 * The server knows the client of a request by our port, so a port must mean one
 * client for as long as the server may dispatch a request of it:
 *
 * - The port is registered before the first byte is sent.
 * - A client that is gone ends our sending direction, and no more. The port is
 *   released when the server has closed its own end.
 * - A server that resets the connection frees the port at once: another process
 *   may get it while we do not know. So a request is dispatched only if our
 *   connection is open at that moment: then there is no other one of that port.
 */
export class Links {
  /** By our port towards the internal server. */
  readonly #ports = new Map<number, Link>();
  readonly #links = new Set<Link>();
  #isRef = true;

  /** Finds the link that a connection of the server has as its peer. */
  linkAt({ hostname, port }: Deno.NetAddr): Link | undefined {
    return hostname === LOOPBACK ? this.#ports.get(port) : undefined;
  }

  /** Copies both ways until both sides have ended, and closes both. */
  async run(conn: FrontConn, target: Deno.TcpConn): Promise<void> {
    const { port } = target.localAddr;
    const link = new Link(conn, target, () => {
      // After a reset the port may have become that of another link.
      if (this.#ports.get(port) === link) this.#ports.delete(port);
    });
    this.#ports.set(port, link);
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
export class Link {
  /** Whom its requests are from. */
  readonly client: Client;
  readonly #conn: FrontConn;
  readonly #target: Deno.TcpConn;
  readonly #onServerEnd: () => void;
  #isClientGone = false;
  #isServerGone = false;
  /** Whether no more is sent to the server. */
  #isEnded = false;
  /** Whether calls to the server's connection wait. */
  #isReading = false;
  #isWriting = false;
  /** Whether bytes have been sent that the server has not answered yet. */
  #isAwaiting = false;
  /** Reads of the client so far. */
  #reads = 0;

  constructor(conn: FrontConn, target: Deno.TcpConn, onServerEnd: () => void) {
    this.client = clientOf(conn);
    this.#conn = conn;
    this.#target = target;
    this.#onServerEnd = onServerEnd;
  }

  /**
   * Returns whether the connection to the server is open at this moment, so that a
   * request of its port is the client's.
   *
   * Writing no bytes asks the system. A pending read does not show it: on a busy
   * machine, a stranger's request was dispatched 170 ms before that read failed.
   * During another write, or after the end was written, nothing can be written. Then
   * another call is pending, and it fails in the next turn of the event loop if the
   * connection has been reset.
   */
  async isOpen(): Promise<boolean> {
    if (this.#isServerGone) return false;
    if (!this.#isWriting && !this.#isEnded) {
      return await writeAll(this.#target, EMPTY);
    }
    if (!this.#isReading && !this.#isWriting) return false; // not known
    await sleep(1);
    return !this.#isServerGone;
  }

  /** Runs until both sides have ended. Never rejects. */
  async run(): Promise<void> {
    const sent = this.#sendRequests();
    await this.#sendResponses();
    this.#endServer();
    closeQuietly(this.#target);
    if (!this.#isClientGone) {
      await this.#conn.closeWrite().catch(() => {});
      await this.#linger(sent);
    }
    this.#conn.close();
    await sent;
  }

  /** Releases the port: the server has closed its end, so no request will come. */
  #endServer(): void {
    this.#isServerGone = true;
    this.#onServerEnd();
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
    let buffer = new Uint8Array(FIRST_BUFFER_SIZE);
    try {
      for (;;) {
        const count = await this.#conn.read(buffer);
        if (count === null) {
          if (this.#isAwaiting) await sleep(HALF_CLOSE_DELAY);
          break;
        }
        this.#reads++;
        // What a server that has closed will not read is thrown away.
        if (this.#isServerGone) continue;
        this.#isWriting = this.#isAwaiting = true;
        const isSent = await writeAll(this.#target, buffer.subarray(0, count));
        this.#isWriting = false;
        if (!isSent) this.#endServer();
        buffer = bufferAfter(buffer, count);
      }
    } catch {
      this.#isClientGone = true;
    }
    this.#isEnded = true;
    // The server may have closed the connection.
    await this.#target.closeWrite().catch(() => {});
  }

  /** Copies from the server until its end, even if the client accepts no more. */
  async #sendResponses(): Promise<void> {
    let buffer = new Uint8Array(FIRST_BUFFER_SIZE);
    try {
      for (;;) {
        this.#isReading = true;
        const count = await this.#target.read(buffer);
        this.#isReading = this.#isAwaiting = false;
        if (count === null) return;
        if (this.#isClientGone) continue;
        const isSent = await writeAll(this.#conn, buffer.subarray(0, count));
        // Reading from the client also fails, which ends the requests.
        if (!isSent) this.#isClientGone = true;
        buffer = bufferAfter(buffer, count);
      }
    } catch {
      // The server has reset the connection, which is also an end.
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

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Writes all bytes. Returns false if the other end accepts no more. */
async function writeAll(
  to: Pick<Deno.Conn, "write">,
  bytes: Uint8Array,
): Promise<boolean> {
  try {
    let at = await to.write(bytes);
    while (at < bytes.length) at += await to.write(bytes.subarray(at));
    return true;
  } catch {
    return false;
  }
}
