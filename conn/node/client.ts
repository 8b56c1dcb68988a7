import { Buffer } from "node:buffer";
import type { EncodeOptions, ProxyHeader } from "../../codec/mod.ts";
import { DISCARDED } from "../admission/discarded.ts";
import { findBehind } from "../_facts.ts";
import { headerOf } from "../header_of.ts";
import { headerBytes } from "../sending/header_bytes.ts";

/** A client of a proxy, as it is named to a backend. */
export interface Client {
  /** The header that begins each connection for this client. */
  readonly header: Uint8Array;
  /** The same for the same header, and for no other. */
  readonly key: string;
}

/** A socket or session of Node, as far as it says when it closes. */
export interface ClientSocket {
  readonly destroyed: boolean;
  once(event: "close", listener: () => void): unknown;
}

/**
 * Makes the header of a client: what an application holds of a connection, or a
 * header itself.
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

/** Whether it is plain data: all connections and requests can be closed or listened to. */
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
 * Finds what closes with a client's connection: its socket, or its session of
 * HTTP/2, since what a request of HTTP/2 has for a socket closes with the stream.
 * A header has none, and neither has a connection of Deno.
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

/** Requests and streams cannot be kept from ending the process. */
function isSocket(candidate: object): candidate is ClientSocket {
  return typeof Reflect.get(candidate, "destroyed") === "boolean" &&
    typeof Reflect.get(candidate, "once") === "function" &&
    typeof Reflect.get(candidate, "ref") === "function";
}
