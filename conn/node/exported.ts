import { Buffer } from "node:buffer";
import { TLSSocket } from "node:tls";
import { EMPTY, quote } from "../../codec/internal.ts";
import {
  type Address,
  decode,
  type ProxyInfo,
  type TlvReader,
} from "../../codec/mod.ts";
import type { Ends } from "../_ends.ts";
import { DISCARDED } from "../admission/discarded.ts";
import { type Facts, factsOf, remember } from "../_facts.ts";
import { override } from "./override.ts";
import { showOn } from "./show.ts";
import type { AdoptOptions, ExportedInfo, NodeSocket } from "./types.ts";

/** Changes with the fields, so that another release rejects the data. */
const FORM = "proxy-protocol 1";

/** Exported data by connection. These sockets are no longer read in this process. */
const EXPORTED = new WeakMap<Facts, ExportedInfo>();

/** Implements `exportInfo`. */
export function exportSocket(socket: NodeSocket): ExportedInfo {
  const facts = factsOf(socket);
  if (facts === undefined) {
    throw new TypeError(
      "Cannot export the socket: not accepted in this process",
    );
  }
  if (!facts.isAdmitted) {
    throw new TypeError(
      "Cannot export the socket: its header has not arrived, wait for ready(socket)",
    );
  }
  if (socket instanceof TLSSocket) {
    throw new TypeError(
      "Cannot export a TLS socket: no other process has its keys, export the socket of node:net below it before TLS begins",
    );
  }
  const earlier = EXPORTED.get(facts);
  if (earlier !== undefined) return earlier;
  const exported = toExported(facts, takeUnread(socket));
  EXPORTED.set(facts, exported);
  return exported;
}

function toExported(
  { info, hop, shown, decode, conn }: Facts,
  payload: Uint8Array,
): ExportedInfo {
  const { define: _functions, ...plain } = decode ?? {};
  return {
    form: FORM,
    hop,
    ...(info && {
      header: {
        raw: toBase64(info.raw),
        // The header has passed the limit, and JSON has no `Infinity`.
        decode: { ...plain, maxLength: info.raw.length },
        isDiscarded: DISCARDED.has(info),
      },
    }),
    ...(shown && { shown }),
    // On a socket without TLS, the option `encrypted` has set it.
    isEncrypted: Reflect.get(conn, "encrypted") === true,
    payload: toBase64(payload),
  };
}

/**
 * Removes and returns the received bytes that nobody has read, and stops the
 * socket. Node sends sockets one after the other, so more bytes could arrive
 * before it sends this one.
 */
function takeUnread(socket: NodeSocket): Uint8Array {
  if (socket.readableEncoding) {
    throw new TypeError("Cannot export the socket: it has an encoding");
  }
  override(socket, "_read", () => {}); // or the stream would read again
  stopReading(Reflect.get(socket, "_handle"));
  return socket.readableLength > 0
    ? readUnheard(socket, socket.readableLength)
    : EMPTY;
}

/** Reads without a `'data'` event, or its listeners would also receive the bytes. */
function readUnheard(socket: NodeSocket, length: number): Uint8Array {
  const { emit } = socket;
  override(
    socket,
    "emit",
    (name: string, ...args: unknown[]) =>
      name === "data" || Reflect.apply(emit, socket, [name, ...args]),
  );
  try {
    const chunk = socket.read(length);
    return chunk instanceof Uint8Array ? chunk : EMPTY;
  } finally {
    override(socket, "emit", emit);
  }
}

/** Stops reading. Not needed on Bun, which sends the socket before it reads again. */
function stopReading(handle: unknown): void {
  if (!isRecord(handle) || typeof handle.readStop !== "function") return;
  handle.readStop();
}

/** Implements `adopt`. */
export function adoptSocket(
  socket: NodeSocket,
  exported: unknown,
  { define = [] }: AdoptOptions,
): void {
  // The socket already shows the address of a client. Do not replace it.
  if (factsOf(socket) !== undefined) {
    throw new TypeError("Cannot adopt the socket: accepted or adopted already");
  }
  const { header, hop, shown, isEncrypted, payload } = readExported(exported);
  const info = header && readHeader(header, define);
  if (info && header.isDiscarded) DISCARDED.add(info);
  remember(socket, {
    info,
    hop,
    shown,
    isAwaited: false,
    conn: socket,
    isAdmitted: true,
    decode: header?.decode ?? {},
  });
  if (shown !== undefined) showOn(socket, shown);
  if (isEncrypted) Reflect.set(socket, "encrypted", true);
  if (payload !== "") socket.unshift(fromBase64(payload));
}

function readExported(value: unknown): ExportedInfo {
  if (isExported(value)) return value;
  throw new TypeError(
    `Cannot adopt the socket: expected what exportInfo() of the same release returned, received ${
      quote(value)
    }`,
  );
}

function isExported(value: unknown): value is ExportedInfo {
  if (!isRecord(value) || value.form !== FORM) return false;
  const { hop, header, shown, isEncrypted, payload } = value;
  return isAddress(hop) && typeof payload === "string" &&
    typeof isEncrypted === "boolean" &&
    (header === undefined || isHeader(header)) &&
    (shown === undefined || isEnds(shown));
}

function isHeader(value: unknown): value is ExportedInfo["header"] {
  return isRecord(value) && typeof value.raw === "string" &&
    isRecord(value.decode) && typeof value.isDiscarded === "boolean";
}

function isEnds(value: unknown): value is Ends {
  return isRecord(value) && isAddress(value.remoteAddr) &&
    isAddress(value.localAddr);
}

function isAddress(value: unknown): value is Address {
  if (!isRecord(value) || typeof value.transport !== "string") return false;
  const { path, hostname, port } = value;
  return typeof path === "string" ||
    typeof hostname === "string" && typeof port === "number";
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

/** @throws {TypeError} for any wrong data, because no peer has sent it. */
function readHeader(
  { raw, decode: options }: NonNullable<ExportedInfo["header"]>,
  define: readonly TlvReader[],
): ProxyInfo {
  let cause: unknown;
  try {
    const info = decode(fromBase64(raw), { ...options, define });
    if (info !== undefined) return info;
  } catch (error) {
    cause = error;
  }
  throw new TypeError("Cannot adopt the socket: its header is damaged", {
    cause,
  });
}

function toBase64({ buffer, byteOffset, byteLength }: Uint8Array): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString("base64");
}

/** Returns a copy, because a small `Buffer` shares its memory with others. */
function fromBase64(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, "base64"));
}
