/** What `listen` prints of a connection. */

import {
  describe,
  formatAddress,
  type ProxyInfo,
  type ProxyProtocolError,
} from "../../codec/mod.ts";
import { hexDump } from "./hex_dump.ts";
import { errorFields, infoFields } from "./report.ts";
import { showStart, toJson } from "./show.ts";
import { table } from "./table.ts";

/** What there is to show of one connection. */
export interface Seen {
  /** Time of the connection, as ISO 8601. */
  time: string;
  /** The peer. */
  hop: string;
  /** The header. */
  info?: ProxyInfo;
  /** Why the connection was rejected. */
  error?: ProxyProtocolError;
}

/** Returns a line for machines. */
export function jsonLine({ time, hop, info, error }: Seen): string {
  if (info !== undefined) return toJson({ time, hop, ...infoFields(info) });
  const refused = error && errorFields(error);
  return toJson({ time, hop, ...(refused && { refused }) });
}

/** Returns a line for people. */
export function line(seen: Seen): string {
  return `${seen.time} ${seen.hop} ${words(seen)}`;
}

/** Returns the result of a connection in words. */
export function words({ info, error }: Seen): string {
  if (error === undefined) return describe(info);
  return error.code === "empty"
    ? "empty: closed without a byte, as health checks do"
    : `rejected ${refusalText(error)}`;
}

/** Returns why a connection was rejected, and its first bytes, without its peer. */
export function refusalText(
  { code, message, received, hop }: ProxyProtocolError,
): string {
  const why = message.replace(` from ${formatAddress(hop)}`, "");
  // For `signature`, the message has the received bytes.
  const start = received.length === 0 || code === "signature"
    ? ""
    : `; received ${showStart(received, 32)}`;
  return `(${code}): ${why}${start}`;
}

/** Returns the line, and below it the table or the bytes. */
export function verbose(seen: Seen): string {
  const { info, error } = seen;
  const below = info !== undefined
    ? table(info)
    : error !== undefined && error.received.length > 0
    ? hexDump(error.received, error.offset)
    : "";
  return below === "" ? line(seen) : `${line(seen)}\n\n${below}\n`;
}
