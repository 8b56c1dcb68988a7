/** What the scenarios share: headers, servers and clients over `node:net`. */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import {
  connect as connectTcp,
  createServer,
  type Server,
  type Socket,
} from "node:net";
import process from "node:process";
import { setImmediate } from "node:timers/promises";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { LONGEST_WAIT, within } from "../../_within.ts";

export { within } from "../../_within.ts";

/** The runtime that runs this. */
export const RUNTIME = "bun" in process.versions
  ? "bun"
  : "deno" in process.versions
  ? "deno"
  : "node";

/** Who the servers of the scenarios believe. */
export const TRUST = ["127.0.0.1"];

/** A version 1 header, its client and what that dialled. */
export const HEADER = Buffer.from(
  "PROXY TCP4 192.0.2.7 198.51.100.9 51234 8443\r\n",
);
export const CLIENT = {
  remoteAddress: "192.0.2.7",
  remotePort: 51234,
  remoteFamily: "IPv4",
  localAddress: "198.51.100.9",
  localPort: 8443,
};

const data = new URL("../../data/", import.meta.url);

/** Certificate of `localhost` with its key. */
export const KEY_PAIR = {
  cert: readFileSync(new URL("cert.pem", data)),
  key: readFileSync(new URL("key.pem", data)),
};

/** A header that a real server wrote. */
export interface Capture {
  id: string;
  hex: string;
}

const captures: Capture[] = JSON.parse(
  readFileSync(new URL("captures.json", data), "utf8"),
);

/** All captured headers. */
export const CAPTURES: readonly { id: string; header: Buffer }[] = captures.map(
  ({ id, hex }) => ({ id, header: Buffer.from(hex, "hex") }),
);

// Nothing that a peer does may surface here, in any scenario.
for (const event of ["uncaughtException", "unhandledRejection"] as const) {
  process.on(event, (error: unknown) => {
    console.error(`${RUNTIME}: ${event}`, error);
    process.exit(70);
  });
}

/** What a socket shows of its ends. */
export function endsOf(socket: typeof CLIENT | Socket): typeof CLIENT {
  const { remoteAddress, remotePort, remoteFamily, localAddress, localPort } =
    socket;
  assert(remoteAddress && remotePort && remoteFamily);
  assert(localAddress && localPort);
  return { remoteAddress, remotePort, remoteFamily, localAddress, localPort };
}

/** Listens on a port of the system's choice while `work` runs; nothing may be left behind. */
export async function listening(
  server: Server,
  work: (port: number) => Promise<void>,
): Promise<void> {
  const isListening = once(server, "listening");
  server.listen(0, "127.0.0.1");
  await isListening;
  try {
    await work(portOf(server));
  } catch (error) {
    server.close(); // what is left open now is not the news
    throw error;
  }
  await closed(server);
}

/** A port at which nobody listens. */
interface ClosedPort extends AsyncDisposable {
  readonly port: number;
}

/**
 * Takes a port at which nobody can listen: it is that of a client. One that was
 * listened at is soon another test's.
 */
export async function closedPort(): Promise<ClosedPort> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const client = connectTcp(portOf(server), "127.0.0.1");
  const [[accepted]] = await Promise.all([
    once(server, "connection"),
    once(client, "connect"),
  ]);
  assert(client.localPort !== undefined);
  return {
    port: client.localPort,
    async [Symbol.asyncDispose]() {
      client.destroy();
      accepted.destroy();
      await closed(server);
    },
  };
}

/** The port of a server that listens. */
export function portOf(server: Pick<Server, "address">): number {
  const address = server.address();
  assert(isAddressInfo(address));
  return address.port;
}

function isAddressInfo(
  address: AddressInfo | string | null,
): address is AddressInfo {
  return typeof address === "object" && address !== null;
}

/** Closes a server and waits until its connections are gone. */
export async function closed(server: Pick<Server, "close">): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.close((error) => error ? reject(error) : resolve());
  await within(promise, "the server to close");
}

/** Tells a client what its socket shows, then echoes. */
export function echo(socket: Socket): void {
  socket.on("error", () => {});
  socket.write(JSON.stringify(endsOf(socket)) + "\n");
  socket.pipe(socket);
}

/** Waits until a condition of a server holds, looking after each turn. */
export async function until(what: string, holds: () => boolean): Promise<void> {
  const end = Date.now() + LONGEST_WAIT;
  while (!holds()) {
    assert(Date.now() < end, `Waited for ${what}`);
    await setImmediate();
  }
}

/** How many connections a server has. */
export function connectionsOf(server: Server): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  server.getConnections((error, count) =>
    error ? reject(error) : resolve(count)
  );
  return promise;
}

/** A client that collects what it receives. */
export class Client {
  readonly socket: Socket;
  readonly #chunks: Buffer[] = [];
  #length = 0;
  #next = Promise.withResolvers<void>();
  #hasEnded = false;
  readonly #all = Promise.withResolvers<void>();

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on("data", (chunk: Buffer) => {
      this.#chunks.push(chunk);
      this.#length += chunk.length;
      this.#wake();
    });
    socket.on("error", () => {}); // a refusal may arrive as a reset
    for (const event of ["end", "close"]) {
      socket.on(event, () => {
        this.#hasEnded = true;
        this.#all.resolve();
        this.#wake();
      });
    }
  }

  #wake(): void {
    this.#next.resolve();
    this.#next = Promise.withResolvers();
  }

  /** What has come so far. */
  get received(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  /** Writes, and lets the other side read it before more is written. */
  async write(bytes: Uint8Array | string): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.socket.write(bytes, () => resolve());
    await promise;
    await setImmediate();
  }

  /** Waits until text has come, so many times. */
  async until(text: string, times = 1): Promise<string> {
    const count = () => this.received.toString().split(text).length - 1;
    await this.#until(() => count() >= times, text);
    return this.received.toString();
  }

  /** Waits until so many bytes have come. */
  async take(length: number): Promise<Buffer> {
    await this.#until(() => this.#length >= length, `${length} bytes`);
    return this.received;
  }

  async #until(holds: () => boolean, what: string): Promise<void> {
    while (!holds()) {
      assert(!this.#hasEnded, `The connection ended before ${what}`);
      await within(this.#next.promise, what);
    }
  }

  /** What comes until the other side closes. */
  async rest(): Promise<string> {
    await within(this.#all.promise, "the other side to close");
    return this.received.toString();
  }
}

/** Connects, and writes each chunk by itself. */
export async function dial(
  port: number,
  ...chunks: (Uint8Array | string)[]
): Promise<Client> {
  const socket = connectTcp({
    port,
    host: "127.0.0.1",
    noDelay: true,
    allowHalfOpen: true,
  });
  const client = new Client(socket);
  await within(once(socket, "connect"), "a connection");
  for (const chunk of chunks) await client.write(chunk);
  return client;
}

/** Sends a header in clear and begins TLS behind it. */
export async function dialTls(
  port: number,
  { protocols = ["http/1.1"], isBytewise = false, header = HEADER }: {
    protocols?: string[];
    isBytewise?: boolean;
    header?: Uint8Array;
  } = {},
): Promise<TLSSocket> {
  const tcp = connectTcp({ port, host: "127.0.0.1", noDelay: true });
  if (isBytewise) {
    const client = new Client(tcp);
    for (const byte of header) await client.write(Buffer.of(byte));
    tcp.removeAllListeners("data");
  } else {
    tcp.write(header);
  }
  const socket = connectTls({
    socket: tcp,
    ca: KEY_PAIR.cert,
    servername: "localhost",
    ALPNProtocols: protocols,
  });
  await within(once(socket, "secureConnect"), "the handshake");
  return socket;
}

/** Bytes that differ from place to place. */
export function pattern(length: number): Buffer {
  const bytes = Buffer.alloc(length);
  for (let i = 0; i < length; i++) bytes[i] = (i * 31 + (i >> 8)) & 0xff;
  return bytes;
}
