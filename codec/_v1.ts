/** The human-readable header, version 1 (section 2.1). */

import { CR, LF, SPACE } from "./_ascii.ts";
import { FieldScanner, MIXED_FAULT } from "./_field_scanner.ts";
import { byteText } from "./_hint.ts";
import { Info } from "./_info.ts";
import { familyOf } from "./_ip_text.ts";
import { ipv4Text, ipv6Text } from "./_text_memory.ts";
import {
  CRLF_LENGTH,
  firstBytes,
  LINE_SIGNATURE,
  LONGEST_LINE,
  SHORTEST_LINE,
} from "./_wire.ts";
import { noHeaderError } from "./_no_header.ts";
import { ProxyProtocolError, type ProxyProtocolErrorCode } from "./error.ts";
import type { DecodeOptions } from "./types.ts";

/** How a line may begin, with the length of the shortest such line. */
const STARTS = [
  {
    text: "PROXY TCP4 ",
    shortest: "PROXY TCP4 0.0.0.0 0.0.0.0 0 0\r\n".length,
  },
  { text: "PROXY TCP6 ", shortest: "PROXY TCP6 :: :: 0 0\r\n".length },
  { text: "PROXY UNKNOWN", shortest: SHORTEST_LINE },
] as const;

type Start = typeof STARTS[number];

/** Reads the fields of one line at a time. */
const fields = new FieldScanner();

/** What must at least follow each field of a TCP line and its separator. */
const LEAST_AFTER_SOURCE4 = "0.0.0.0 0 0\r\n".length;
const LEAST_AFTER_SOURCE6 = ":: 0 0\r\n".length;
const LEAST_AFTER_DESTINATION = "0 0\r\n".length;
const LEAST_AFTER_SOURCE_PORT = "0\r\n".length;
const LEAST_AFTER_CR = "\n".length;

/**
 * Reads a line. A number is how many bytes must at least still come; the line
 * cannot be valid with fewer.
 */
export function scanV1(
  bytes: Uint8Array,
  options: DecodeOptions,
  maxLength: number,
): Info | number {
  const longest = Math.min(LONGEST_LINE, maxLength);
  const start = matchStart(bytes);
  const line = typeof start === "number"
    ? start
    : start.text === "PROXY UNKNOWN"
    ? scanUnknown(bytes)
    : scanTcp(bytes, start, options);
  const length = typeof line === "number"
    ? bytes.length + line
    : line.raw.length;
  if (length > longest) {
    throw lineError(
      bytes,
      Math.min(bytes.length, longest),
      "line",
      `line is longer than ${longest} bytes`,
      longest < LONGEST_LINE ? "raise `maxLength` to accept it" : "",
    );
  }
  return line;
}

/** The start of the line, or how many bytes must at least still come. */
function matchStart(bytes: Uint8Array): Start | number {
  let least = Infinity;
  let furthest = 0;
  for (const start of STARTS) {
    let at = 0;
    while (at < start.text.length && bytes[at] === start.text.charCodeAt(at)) {
      at++;
    }
    if (at === start.text.length) return start;
    if (at === bytes.length) least = Math.min(least, start.shortest - at);
    furthest = Math.max(furthest, at);
  }
  if (least < Infinity) return least;
  throw furthest < LINE_SIGNATURE.length
    ? noHeaderError(bytes, furthest, LINE_SIGNATURE.charCodeAt(furthest))
    : lineError(bytes, furthest, "family", "expected TCP4, TCP6 or UNKNOWN");
}

/** Anything up to CRLF is skipped, a lone CR or LF too: CRLF alone ends the line. */
function scanUnknown(bytes: Uint8Array): Info | number {
  const start = "PROXY UNKNOWN".length;
  const first = bytes[start];
  if (first === undefined) return 2;
  if (first !== SPACE && first !== CR) {
    throw lineError(bytes, start, "line", "expected CRLF after UNKNOWN");
  }
  let at = start + 1;
  if (first === CR) {
    const second = bytes[at];
    if (second === undefined) return 1;
    if (second !== LF) throw lineError(bytes, at, "line", "CR without LF");
  } else {
    const end = Math.min(bytes.length, LONGEST_LINE);
    while (at < end && !(bytes[at] === LF && bytes[at - 1] === CR)) at++;
    if (at === end) return bytes[at - 1] === CR ? 1 : 2;
  }
  const length = at + 1;
  return new Info(
    1,
    "PROXY",
    "UNSPEC",
    "UNSPEC",
    undefined,
    undefined,
    firstBytes(bytes, length),
    start,
  );
}

/** Addresses and ports of a TCP4 or TCP6 line. */
function scanTcp(
  bytes: Uint8Array,
  start: Start,
  options: DecodeOptions,
): Info | number {
  const isTcp6 = start.text === "PROXY TCP6 ";
  const mixed = options.mixedTcp6 === true;
  const unmap = options.unmap === true;
  fields.begin(start.text.length);

  if (!(isTcp6 ? fields.ipv6(bytes, mixed) : fields.ipv4(bytes))) {
    const after = isTcp6 ? LEAST_AFTER_SOURCE6 : LEAST_AFTER_SOURCE4;
    return stop(bytes, "address", after);
  }
  const source = hostname(unmap);
  if (!(isTcp6 ? fields.ipv6(bytes, mixed) : fields.ipv4(bytes))) {
    return stop(bytes, "address", LEAST_AFTER_DESTINATION);
  }
  const destination = hostname(unmap);
  if (!fields.port(bytes, SPACE)) {
    return stop(bytes, "port", LEAST_AFTER_SOURCE_PORT);
  }
  const sourcePort = fields.number;
  if (!fields.port(bytes, CR)) return stop(bytes, "port", LEAST_AFTER_CR);
  const destinationPort = fields.number;
  const last = bytes[fields.at];
  if (last === undefined) return LEAST_AFTER_CR;
  if (last !== LF) throw lineError(bytes, fields.at, "line", "CR without LF");
  const length = fields.at + 1;
  return new Info(
    1,
    "PROXY",
    isTcp6 ? familyOf(source, destination, unmap) : "INET",
    "STREAM",
    { transport: "tcp", hostname: source, port: sourcePort },
    { transport: "tcp", hostname: destination, port: destinationPort },
    firstBytes(bytes, length),
    length - CRLF_LENGTH,
  );
}

function hostname(unmap: boolean): string {
  return fields.isIpv6
    ? ipv6Text(fields.octets, 0, unmap)
    : ipv4Text(fields.octets, 0);
}

/** The least that must still come to finish a line that stopped in a field. */
function stop(
  bytes: Uint8Array,
  code: ProxyProtocolErrorCode,
  leastAfter: number,
): number {
  if (fields.fault !== undefined) {
    throw lineError(bytes, fields.at, code, fields.fault, remedyOf(bytes));
  }
  return fields.missing + leastAfter;
}

/** What would help with a line that stopped in a field. */
function remedyOf(bytes: Uint8Array): string {
  if (fields.fault === MIXED_FAULT) return "`mixedTcp6: true` accepts it";
  return bytes[fields.at] === LF ? "a line ends with CRLF" : "";
}

function lineError(
  bytes: Uint8Array,
  offset: number,
  code: ProxyProtocolErrorCode,
  what: string,
  remedy = "",
): ProxyProtocolError {
  const isV1 = offset >= LINE_SIGNATURE.length;
  const byte = bytes[offset];
  const received = byte === undefined ? "" : `, received ${byteText(byte)}`;
  return new ProxyProtocolError(
    `Cannot decode PROXY v1 header: ${what} at byte ${offset}${received}${
      remedy && `; ${remedy}`
    }`,
    code,
    { offset, received: bytes, ...(isV1 && { version: 1 }) },
  );
}
