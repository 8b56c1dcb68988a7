/** What `listen` prints of a connection. */

import {
  isClientVerified,
  type ProxyInfo,
  type ProxyProtocolError,
} from "../../codec/mod.ts";
import { isChecksumRight } from "./anatomy.ts";
import { hexDump } from "./hex_dump.ts";
import { errorFields, infoFields, kindOf, strangerOf } from "./report.ts";
import { showAddress, showBytes, showStart, showText, toJson } from "./show.ts";
import { table } from "./table.ts";

/** What there is to show of one connection. */
export interface Seen {
  /** When it came, as ISO 8601. */
  time: string;
  /** The peer. */
  hop: string;
  /** The header. */
  info?: ProxyInfo;
  /** Why it was refused. */
  error?: ProxyProtocolError;
}

/** A line for machines. */
export function jsonLine({ time, hop, info, error }: Seen): string {
  if (info !== undefined) return toJson({ time, hop, ...infoFields(info) });
  const refused = error && errorFields(error);
  return toJson({ time, hop, ...(refused && { refused }) });
}

/** A line for people. */
export function line(seen: Seen): string {
  return `${seen.time} ${seen.hop} ${words(seen)}`;
}

/** What came of a connection, in words. */
export function words({ info, error }: Seen): string {
  if (info !== undefined) return headerWords(info);
  if (error === undefined) return "no header";
  return error.code === "empty"
    ? "empty: closed without a byte, as health checks do"
    : `refused ${refusalText(error)}`;
}

/** Why a connection was refused, where, and what it began with. */
export function refusalText(error: ProxyProtocolError): string {
  const { code, message, offset, received } = error;
  const start = received.length === 0
    ? ""
    : `; byte ${offset} of ${showStart(received, 32)}`;
  const stranger = code === "signature" ? strangerOf(received) : undefined;
  return `(${code}): ${message}${start}${stranger ? `, ${stranger}` : ""}`;
}

/** The line, and below it the table or the bytes. */
export function verbose(seen: Seen): string {
  const { info, error } = seen;
  const below = info !== undefined
    ? table(info)
    : error !== undefined && error.received.length > 0
    ? hexDump(error.received, error.offset)
    : "";
  return below === "" ? line(seen) : `${line(seen)}\n\n${below}\n`;
}

/** A header in words of one line. */
function headerWords(info: ProxyInfo): string {
  const { version, source, destination, tlvs } = info;
  const words = [`v${version} ${kindOf(info)}`];
  if (source !== undefined && destination !== undefined) {
    words.push(showAddress(source), "->", showAddress(destination));
  }
  for (const [name, value] of Object.entries(tlvs)) {
    if (value === undefined || name === "SSL") continue;
    words.push(`${name}=${name === "CRC32C" ? verdict(info) : word(value)}`);
  }
  if (tlvs.SSL) {
    words.push(`client=${isClientVerified(info) ? "" : "un"}verified`);
  }
  return words.join(" ");
}

function verdict(info: ProxyInfo): string {
  return isChecksumRight(info) ? "right" : "WRONG";
}

function word(value: string | number | boolean | Uint8Array): string {
  if (value instanceof Uint8Array) return showBytes(value);
  return typeof value === "string" ? showText(value) : `${value}`;
}
