/** Writes the human-readable header (section 2.1). */

import type { Composed } from "./_block.ts";
import { newHead, readEndpoints } from "./_endpoints.ts";
import { formatIpv6, writeDecimal, writeIpv4 } from "./_ip_text.ts";
import { writeLatin1 } from "./_text.ts";
import {
  FAMILIES,
  FAMILY_AT,
  FIXED_LENGTH,
  LONGEST_ADDRESSED,
  LONGEST_LINE,
  PORTS_LENGTH,
  TRANSPORTS,
} from "./_wire.ts";
import type { ProxyHeader } from "./types.ts";

/** What one header at a time says. */
const head = newHead(LONGEST_ADDRESSED);

/** One line at a time, in bytes: as a string it needs twice as long. */
const line = new Uint8Array(LONGEST_LINE);

/** Makes the line of a header. UNKNOWN, in its short form, is for what v1 cannot say. */
export function composeV1(header: ProxyHeader): Composed {
  const tlv_start = readEndpoints(header, head);
  const familyByte = head.view.getUint8(FAMILY_AT);
  const family = FAMILIES[familyByte >> 4];
  const isTcp = TRANSPORTS[familyByte & 0x0f] === "STREAM" && family !== "UNIX";
  if (tlv_start === FIXED_LENGTH || !isTcp) {
    return { bytes: line, length: writeLatin1("PROXY UNKNOWN\r\n", line, 0) };
  }
  const ports = tlv_start - PORTS_LENGTH;
  const isInet = family === "INET";
  let at = writeLatin1(isInet ? "PROXY TCP4 " : "PROXY TCP6 ", line, 0);
  at = writeHost(isInet, FIXED_LENGTH, at);
  at = writeHost(isInet, (FIXED_LENGTH + ports) / 2, at);
  at = writeDecimal(head.view.getUint16(ports), line, at);
  at = writeLatin1(" ", line, at);
  at = writeDecimal(head.view.getUint16(ports + 2), line, at);
  return { bytes: line, length: writeLatin1("\r\n", line, at) };
}

/** Writes the address that the head has at `from`, and a space; where it ends. */
function writeHost(isInet: boolean, from: number, at: number): number {
  const end = isInet
    ? writeIpv4(head.bytes, from, line, at)
    : writeLatin1(formatIpv6(head, from, false), line, at);
  return writeLatin1(" ", line, end);
}
