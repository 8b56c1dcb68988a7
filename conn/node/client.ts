import { Buffer } from "node:buffer";
import type { EncodeOptions, ProxyHeader } from "../../codec/mod.ts";
import { DISCARDED } from "../admission/discarded.ts";
import { findBehind } from "../_facts.ts";
import { headerOf } from "../header_of.ts";
import { headerBytes } from "../sending/header_bytes.ts";

/** A client of a proxy, whose header is sent to a backend. */
export interface Client {
  /** The header that begins each connection for this client. */
  readonly header: Uint8Array;
  /** Key of the header. Different headers have different keys. */
  readonly key: string;
}

/** A socket or session of Node: the members that report its close. */
export interface ClientSocket {
  readonly destroyed: boolean;
  once(event: "close", listener: () => void): unknown;
}

/**
 * Returns the header of a client. The client is a header itself, or any object that
 * an application has of a connection.
 *
 * @throws {TypeError} like {@link headerOf}, and for a header that was discarded.
 * @throws {TypeError} like `encode`, for a header that cannot be written.
 * @throws {RangeError} like `encode`, for a header that cannot be written.
 */
export function clientOf(client: object, options: EncodeOptions): Client {
  const header = headerBytes(
    isHeader(client) ? client : headerOf(client),
    options,
  );
  return { header, key: Buffer.from(header).toString("base64") };
}

/** Whether a value is plain data. Connections and requests have methods to close or listen. */
function isHeader(client: object): client is ProxyHeader {
  if (typeof client !== "object" || client === null) return false;
  if (!("source" in client || "command" in client)) return false;
  if ("on" in client || "close" in client) return false;
  if (isDiscarded(client)) {
    throw new TypeError(
      "Cannot send a header that was discarded: pass the socket or the request",
    );
  }
  return true;
}

function isDiscarded(header: object): boolean {
  const infos: WeakSet<object> = DISCARDED;
  return infos.has(header);
}

/**
 * Returns the object that closes with a client's connection: its socket, or its
 * session of HTTP/2. The `socket` of an HTTP/2 request closes with the stream. A
 * header and a connection of Deno have no such object.
 */
export function socketOf(client: object): ClientSocket | undefined {
  return findBehind(client, sessionOf) ?? findBehind(client, asSocket);
}

function sessionOf(candidate: object): ClientSocket | undefined {
  const session: unknown = Reflect.get(candidate, "session");
  return typeof session === "object" && session !== null
    ? asSocket(session)
    : undefined;
}

function asSocket(candidate: object): ClientSocket | undefined {
  return isSocket(candidate) ? candidate : undefined;
}

/** Whether an object is a socket or a session. Requests and streams have no `ref()`. */
function isSocket(candidate: object): candidate is ClientSocket {
  return typeof Reflect.get(candidate, "destroyed") === "boolean" &&
    typeof Reflect.get(candidate, "once") === "function" &&
    typeof Reflect.get(candidate, "ref") === "function";
}
