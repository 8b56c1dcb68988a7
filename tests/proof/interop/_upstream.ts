/**
 * What real senders send their headers to: our `accept()`, and what it makes of
 * a connection, in words that are the same for every run.
 *
 * @module
 */

import {
  accept,
  type Accepted,
  type AcceptOptions,
  type Address,
  type ProxyInfo,
} from "../../../mod.ts";
import { utf8 } from "../../_bytes.ts";
import { CERT, send, TRUST } from "../../conn/_loopback.ts";

/** What a client says behind a header, and what it is answered. */
export interface Exchange {
  /** Sent before anything was read. */
  greeting?: Uint8Array;
  /** Whether enough has been read to answer. */
  isWhole: (request: string) => boolean;
  /** The answer. */
  answer: (request: Uint8Array) => Uint8Array;
}

/** Five bytes, repeated. */
export const ECHO: Exchange = {
  isWhole: (request) => request.length >= 5,
  answer: (request) => request,
};

/** A request of HTTP without a body. */
export const HTTP: Exchange = {
  isWhole: (request) => request.includes("\r\n\r\n"),
  answer: () =>
    utf8("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"),
};

/** Listens for what senders dial. */
export class Upstream implements Disposable {
  readonly #listener: Deno.TcpListener;

  /** Listens on a port of the system's choice. */
  constructor(hostname = "127.0.0.1") {
    this.#listener = Deno.listen({ hostname, port: 0 });
  }

  /** The port to send to. */
  get port(): number {
    return this.#listener.addr.port;
  }

  /**
   * Accepts the next connection with a request and answers it. Those without
   * one come from the question whether the sender listens.
   */
  async next(
    { greeting, isWhole, answer }: Exchange,
    options: Partial<AcceptOptions> = {},
  ): Promise<Accepted<Deno.TcpConn>> {
    for (;;) {
      using tcp = await this.#listener.accept();
      const accepted = await accept(tcp, { trust: TRUST, ...options });
      const { conn } = accepted;
      if (greeting) await send(conn, greeting);
      const request = await receiveUntil(conn, isWhole);
      if (request === undefined) continue;
      await send(conn, answer(request));
      await conn.closeWrite();
      return accepted;
    }
  }

  [Symbol.dispose](): void {
    this.#listener.close();
  }
}

/** Reads until there is enough; `undefined` for an end before that. */
async function receiveUntil(
  conn: Pick<Deno.Conn, "read">,
  isWhole: (request: string) => boolean,
): Promise<Uint8Array | undefined> {
  const buffer = new Uint8Array(65536);
  const decoder = new TextDecoder("latin1");
  for (let length = 0;;) {
    const request = buffer.subarray(0, length);
    if (isWhole(decoder.decode(request))) return request;
    const count = await conn.read(buffer.subarray(length));
    if (count === null) return undefined;
    length += count;
  }
}

/** The ends of a client's own socket. */
export interface Ends {
  client: Deno.Addr;
  dialled: Deno.Addr;
}

/** The ends of a connection, before it is closed. */
export function endsOf({ localAddr, remoteAddr }: Deno.Conn): Ends {
  return { client: { ...localAddr }, dialled: { ...remoteAddr } };
}

/**
 * A connection in words: its header, whom `accept()` shows, and the TLVs. The
 * addresses of the client's socket are called `client` and `dialled`.
 */
export function describe(
  { info, conn }: Pick<Accepted<Deno.TcpConn>, "info" | "conn">,
  ends?: Ends,
): string {
  if (info === undefined) return "no header";
  const { remoteAddr, localAddr, hopAddr } = conn;
  const addresses = info.source === undefined
    ? `shows ${
      text(remoteAddr) === text(hopAddr) ? "the hop" : text(remoteAddr)
    }`
    : `${text(remoteAddr)} -> ${text(localAddr)}`;
  return named(`${kind(info)}, ${addresses}${tlvs(info)}`, ends);
}

/** A header by itself in words. */
export function describeHeader(info: ProxyInfo, ends?: Ends): string {
  const { source, destination } = info;
  const addresses = source && destination
    ? `, ${text(source)} -> ${text(destination)}`
    : "";
  return named(`${kind(info)}${addresses}${tlvs(info)}`, ends);
}

function kind({ version, command, family, transport }: ProxyInfo): string {
  if (command === "LOCAL") return `v${version} LOCAL`;
  return family === "UNSPEC"
    ? `v${version} UNKNOWN`
    : `v${version} ${family} ${transport}`;
}

function tlvs({ tlvs }: ProxyInfo): string {
  const texts = Object.entries(tlvs).map(([name, value]) => {
    if (name === "CRC32C") return name; // decode() has verified it
    if (!(value instanceof Uint8Array)) return `${name}=${value}`;
    const text = new TextDecoder().decode(value);
    return withoutFrame(text) === withoutFrame(CERT)
      ? `${name}=the client's certificate`
      : `${name}=${text}`;
  });
  return texts.length === 0 ? "" : `, ${texts.join(" ")}`;
}

/** The base64 of PEM; hitch frames a certificate as a trusted one. */
function withoutFrame(pem: string): string {
  return pem.replace(/-----(BEGIN|END) (TRUSTED )?CERTIFICATE-----/g, "");
}

function named(description: string, ends?: Ends): string {
  if (ends === undefined) return description;
  return replaceAddress(
    replaceAddress(description, ends.client, "client"),
    ends.dialled,
    "dialled",
  );
}

/** Also within TLVs; a port is not to match the beginning of a longer one. */
function replaceAddress(
  description: string,
  address: Deno.Addr,
  name: string,
): string {
  const escaped = text(address).replace(/[.[\]]/g, "\\$&");
  return description.replace(new RegExp(`${escaped}(?!\\d)`, "g"), name);
}

function text(address: Address | Deno.Addr): string {
  if ("path" in address) return `unix:${address.path}`;
  if (!("hostname" in address)) return "vsock";
  const { hostname, port } = address;
  return hostname.includes(":")
    ? `[${hostname}]:${port}`
    : `${hostname}:${port}`;
}
