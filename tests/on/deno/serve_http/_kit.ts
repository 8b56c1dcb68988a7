/** Servers under test, and clients that dial them as a proxy does. */

import { serveHttp } from "../../../../conn/deno.ts";
import type {
  DenoHandler,
  DenoHttpServer,
  DenoNetAddr,
  DenoServeTcpOptions,
} from "../../../../conn/deno.ts";
import { callsOfDeno } from "../../../../conn/deno/calls.ts";
import { encode } from "../../../../mod.ts";
import { concat, utf8 } from "../../../_bytes.ts";
import { TRUST } from "../../../conn/_loopback.ts";
import { within } from "../../../_within.ts";

/** Where servers listen. */
export const HOSTNAME = "127.0.0.1";

/** A free port of loopback, and no log. */
export const QUIET = { hostname: HOSTNAME, port: 0, onListen() {} } as const;

/** Serves on loopback, for headers of loopback. */
export function serve(
  handler: DenoHandler,
  options: Partial<DenoServeTcpOptions> = {},
): DenoHttpServer {
  return serveHttp({ ...QUIET, proxy: { trust: TRUST }, ...options }, handler);
}

/** The header of a client. */
export function headerOf(
  hostname: string,
  port: number,
  version: 1 | 2 = 2,
): Uint8Array<ArrayBuffer> {
  const isIpv6 = hostname.includes(":");
  return encode({
    version,
    source: { transport: "tcp", hostname, port },
    destination: {
      transport: "tcp",
      hostname: isIpv6 ? "2001:db8::9" : "198.51.100.9",
      port: 443,
    },
  });
}

/** The client that most tests have. */
export const CLIENT: DenoNetAddr = {
  transport: "tcp",
  hostname: "192.0.2.7",
  port: 51234,
};

/** Its header. */
export const HEADER: Uint8Array<ArrayBuffer> = headerOf(
  CLIENT.hostname,
  CLIENT.port,
);

/** A request of HTTP/1.1. */
export function request(
  path: string,
  { method = "GET", headers = "", body = "" } = {},
): string {
  const length = method === "GET" ? "" : `Content-Length: ${body.length}\r\n`;
  return `${method} ${path} HTTP/1.1\r\nHost: localhost\r\n${length}${headers}\r\n${body}`;
}

/** A response of HTTP/1.1. */
export interface Answer {
  status: number;
  head: string;
  body: string;
}

/** Bytes of a connection, whatever it runs over. */
export type Stream = Pick<Deno.Conn, "read" | "write" | "close" | "closeWrite">;

/** A client of HTTP/1.1 that may send anything. */
export class Client implements Disposable {
  readonly conn: Stream;
  #received: Uint8Array = new Uint8Array();

  constructor(conn: Stream) {
    this.conn = conn;
  }

  /** Dials a server and sends bytes, a header by default. */
  static async dial(
    { addr }: { addr: { port: number } },
    first: Uint8Array | string = HEADER,
  ): Promise<Client> {
    const { port } = addr;
    const client = new Client(await Deno.connect({ hostname: HOSTNAME, port }));
    await client.send(first);
    return client;
  }

  async send(bytes: Uint8Array | string): Promise<void> {
    const all = typeof bytes === "string" ? utf8(bytes) : bytes;
    for (let at = 0; at < all.length;) {
      at += await this.conn.write(all.subarray(at));
    }
  }

  /** Sends a request, and reads its response. */
  async ask(
    path: string,
    init?: Parameters<typeof request>[1],
  ): Promise<Answer> {
    await this.send(request(path, init));
    return await this.answer();
  }

  /** Reads a response with a length or in chunks. */
  async answer(): Promise<Answer> {
    const head = await this.until("\r\n\r\n");
    const status = Number(/^HTTP\/1\.1 (\d+)/.exec(head)?.[1]);
    const length = /^content-length: *(\d+)/im.exec(head)?.[1];
    if (length !== undefined) {
      return { status, head, body: text(await this.take(Number(length))) };
    }
    let body = "";
    if (!/^transfer-encoding: *chunked/im.test(head)) {
      return { status, head, body };
    }
    for (;;) {
      const size = parseInt(await this.until("\r\n"), 16);
      body += text(await this.take(size));
      await this.take(2);
      if (size === 0) return { status, head, body };
    }
  }

  /** Reads text to its end mark, and the mark. */
  async until(mark: string): Promise<string> {
    for (;;) {
      const found = text(this.#received).indexOf(mark);
      if (found >= 0) return text(await this.take(found + mark.length));
      if (!await this.#more()) {
        throw new Error(`Received ${JSON.stringify(text(this.#received))}`);
      }
    }
  }

  /** Reads so many bytes. */
  async take(length: number): Promise<Uint8Array> {
    while (this.#received.length < length) {
      if (!await this.#more()) throw new Error("Received an early end");
    }
    const taken = this.#received.subarray(0, length);
    this.#received = this.#received.subarray(length);
    return taken;
  }

  /** Reads to the end, which may be a reset; all text until then. */
  async rest(): Promise<string> {
    try {
      while (await this.#more());
    } catch (error) {
      if (!(error instanceof Deno.errors.ConnectionReset)) throw error;
    }
    return text(this.#received);
  }

  async #more(): Promise<boolean> {
    const buffer = new Uint8Array(65536);
    const count = await within(this.conn.read(buffer), "bytes of the server");
    if (count === null) return false;
    this.#received = concat([this.#received, buffer.subarray(0, count)]);
    return true;
  }

  [Symbol.dispose](): void {
    try {
      this.conn.close();
    } catch {
      // Closed already.
    }
  }
}

/** Bytes as text, each byte one character. */
function text(bytes: Uint8Array): string {
  return new TextDecoder("latin1").decode(bytes);
}

/** Waits until something is so. */
export async function until(
  what: string,
  isSo: () => boolean | Promise<boolean>,
): Promise<void> {
  const end = performance.now() + 20_000;
  while (!await isSo()) {
    if (performance.now() > end) throw new Error(`Not ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Opens a server, and finds the internal one that it opens. */
export function withInner<T>(
  open: () => T,
): { opened: T; servers: Deno.HttpServer<Deno.NetAddr>[] } {
  const calls = callsOfDeno();
  const { serve } = calls;
  const servers: Deno.HttpServer<Deno.NetAddr>[] = [];
  Reflect.set(calls, "serve", (...args: unknown[]) => {
    const server = Reflect.apply(serve, Deno, args);
    servers.push(server);
    return server;
  });
  try {
    return { opened: open(), servers };
  } finally {
    calls.serve = serve;
  }
}
