/** What the scenarios of `serveHttp` share: servers, and clients that speak HTTP/1. */

import assert from "node:assert/strict";
import { connect, type Socket, type TcpNetConnectOpts } from "node:net";
import {
  type BunHttpProxied,
  type BunHttpProxyOptions,
  type BunPlainOptions,
  type BunPlainServer,
  type ProxyProtocolError,
  serveHttp,
} from "../../../../conn/bun.ts";
import { encode, type ProxyHeader } from "../../../../mod.ts";
import { concat, utf8 } from "../../../_bytes.ts";
import { within } from "../../../_within.ts";
import { Queue } from "../_client.ts";

export { concat, utf8, within };

/** Who the servers believe. */
export const TRUST = ["127.0.0.1", "unix"];

/** A server of `serveHttp`. */
export type Server = BunPlainServer & BunHttpProxied;

/** Options of a server in a test. */
export type Options = Omit<BunPlainOptions, "fetch"> & {
  fetch?(request: Request, server: BunPlainServer): unknown;
  proxy?: Partial<BunHttpProxyOptions>;
};

/** A server under test. */
export interface Served {
  server: Server;
  /** Where it listens. */
  port: number;
  /** Where the native server within listens. */
  innerPort: number;
  /** What was rejected. */
  rejects: Queue<ProxyProtocolError>;
}

/** Starts a server. */
export function serve(
  { proxy, ...options }: Options,
): Served & AsyncDisposable {
  const rejects = new Queue<ProxyProtocolError>();
  const server = serveHttp({
    ...(options.unix === undefined && { hostname: "127.0.0.1", port: 0 }),
    ...options,
    proxy: {
      trust: TRUST,
      onReject: (error) => rejects.add(error),
      ...proxy,
    },
  });
  return {
    server,
    port: server.port ?? 0,
    innerPort: innerPortOf(server),
    rejects,
    [Symbol.asyncDispose]: () => server.stop(true),
  };
}

/** Where the native server listens that another one hides. */
export function innerPortOf(server: object): number {
  return Number(Reflect.get(Object.getPrototypeOf(server), "port", server));
}

/** An address for each of many clients. */
export function addressOf(id: number): { hostname: string; port: number } {
  return {
    hostname: `10.${(id >> 16) & 255}.${(id >> 8) & 255}.${id & 255}`,
    port: 1024 + id % 60000,
  };
}

/** The header of a client, of version 1 and 2 in turn. */
export function claimOf(id: number): Uint8Array {
  const header: ProxyHeader = {
    source: { transport: "tcp", ...addressOf(id) },
    destination: { transport: "tcp", hostname: "198.51.100.1", port: 443 },
  };
  return encode({ ...header, version: id % 2 === 0 ? 1 : 2 });
}

/** An answer. */
export interface Answer {
  status: number;
  headers: Headers;
  body: string;
}

const decoder = new TextDecoder("latin1");

/** A client of HTTP/1 that sees each byte, and may end in any way. */
export class HttpClient {
  readonly socket: Socket;
  #bytes = "";
  #isOver = false;
  #wake = () => {};

  constructor(socket: Socket) {
    this.socket = socket;
    socket.setNoDelay(true);
    socket.on("data", (chunk: Uint8Array) => {
      this.#bytes += decoder.decode(chunk);
      this.#wake();
    });
    socket.on("error", () => {});
    for (const event of ["end", "close"]) {
      socket.on(event, () => {
        this.#isOver = true;
        this.#wake();
      });
    }
  }

  /** Dials a port of 127.0.0.1, a path, or by options. */
  static async dial(
    to: number | string | TcpNetConnectOpts,
  ): Promise<HttpClient> {
    const socket = typeof to === "number"
      ? connect(to, "127.0.0.1")
      : typeof to === "string"
      ? connect(to)
      : connect(to);
    const client = new HttpClient(socket);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    socket.once("connect", resolve).once("error", reject);
    await within(promise, "a connection");
    return client;
  }

  /** Dials, and sends the header of a client. */
  static async as(id: number, port: number | string): Promise<HttpClient> {
    const client = await HttpClient.dial(port);
    client.send(claimOf(id));
    return client;
  }

  send(bytes: Uint8Array | string): void {
    this.socket.write(bytes);
  }

  /** Sends the head of a request, and a body. */
  request(
    path: string,
    { method = "GET", headers = {}, body }: {
      method?: string;
      headers?: Record<string, string>;
      body?: string;
    } = {},
  ): void {
    const all = {
      host: "localhost",
      ...(body !== undefined && { "content-length": `${body.length}` }),
      ...headers,
    };
    const lines = Object.entries(all).map(([name, value]) =>
      `${name}: ${value}`
    );
    this.send(
      [`${method} ${path} HTTP/1.1`, ...lines, "", body ?? ""].join("\r\n"),
    );
  }

  /** Waits for the next answer; one without a length ends with the connection. */
  async answer(method = "GET"): Promise<Answer> {
    await this.until(() => this.#bytes.includes("\r\n\r\n"), "an answer");
    const end = this.#bytes.indexOf("\r\n\r\n");
    const [first = "", ...lines] = this.#bytes.slice(0, end).split("\r\n");
    const headers = new Headers(
      lines.map((line): [string, string] => [
        line.slice(0, line.indexOf(":")),
        line.slice(line.indexOf(":") + 1),
      ]),
    );
    this.#bytes = this.#bytes.slice(end + 4);
    const status = Number(first.split(" ")[1]);
    const hasBody = method !== "HEAD" && status !== 304 && status !== 204 &&
      status !== 101;
    const body = !hasBody
      ? ""
      : headers.get("transfer-encoding") === "chunked"
      ? await this.#chunked()
      : await this.take(Number(headers.get("content-length")));
    return { status, headers, body };
  }

  async #chunked(): Promise<string> {
    let body = "";
    for (;;) {
      await this.until(() => this.#bytes.includes("\r\n"), "a chunk");
      const length = parseInt(this.#bytes, 16);
      await this.take(this.#bytes.indexOf("\r\n") + 2);
      body += await this.take(length);
      await this.take(2);
      if (length === 0) return body;
    }
  }

  /** Waits for so many bytes, and takes them. */
  async take(length: number): Promise<string> {
    await this.until(() => this.#bytes.length >= length, `${length} bytes`);
    const taken = this.#bytes.slice(0, length);
    this.#bytes = this.#bytes.slice(length);
    return taken;
  }

  /** Waits for some text, and takes all up to its end. */
  async takeTo(text: string): Promise<string> {
    await this.until(() => this.#bytes.includes(text), JSON.stringify(text));
    return await this.take(this.#bytes.indexOf(text) + text.length);
  }

  /** Waits until something has come; fails if the connection is over before that. */
  async until(hasCome: () => boolean, what: string): Promise<void> {
    await within(
      (async () => {
        while (!hasCome()) {
          if (this.#isOver) {
            throw new Error(`The connection ended before ${what}`);
          }
          await new Promise<void>((resolve) => this.#wake = resolve);
        }
      })(),
      what,
    );
  }

  /** Waits for the end of the connection; what came before it, untaken. */
  async ended(): Promise<string> {
    await within(
      (async () => {
        while (!this.#isOver) {
          await new Promise<void>((resolve) => this.#wake = resolve);
        }
      })(),
      "the end of the connection",
    );
    return this.#bytes;
  }

  /** Asks, and waits for the answer. */
  async get(
    path: string,
    options: Parameters<HttpClient["request"]>[1] = {},
  ): Promise<Answer> {
    this.request(path, options);
    return await this.answer(options.method);
  }

  reset(): void {
    this.socket.resetAndDestroy();
  }

  [Symbol.dispose](): void {
    this.socket.destroy();
  }
}

/** Asks once by a connection of its own. */
export async function get(
  port: number | string,
  path: string,
  id = 1,
): Promise<Answer> {
  using client = await HttpClient.as(id, port);
  return await client.get(path);
}

/** Dials as somebody who is not let in: closed before a byte has come, or while it is dialled. */
export async function assertRefused(port: number, id = 1): Promise<void> {
  let client: HttpClient;
  try {
    client = await HttpClient.as(id, port);
  } catch (error) {
    assert.equal(
      error instanceof Error && "code" in error && error.code,
      "ECONNRESET",
    );
    return;
  }
  using refused = client;
  assert.equal(await refused.ended(), "");
}
