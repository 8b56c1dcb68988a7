/** Writes the human-readable header (section 2.1). */

import { newHead, readEndpoints } from "./_endpoints.ts";
import { formatIpv4, formatIpv6 } from "./_ip_text.ts";
import {
  FAMILIES,
  FAMILY_AT,
  FIXED_LENGTH,
  PORTS_LENGTH,
  TRANSPORTS,
  uint16,
} from "./_wire.ts";
import type { ProxyHeader } from "./types.ts";

/** What one header at a time says. */
const head = newHead();

/** The line of a header; UNKNOWN, in its short form, for what v1 cannot say. */
export function lineOf(header: ProxyHeader): string {
  const end = readEndpoints(header, head);
  const familyByte = head[FAMILY_AT] ?? 0;
  const family = FAMILIES[familyByte >> 4];
  const isTcp = TRANSPORTS[familyByte & 0x0f] === "STREAM" && family !== "UNIX";
  if (end === FIXED_LENGTH || !isTcp) return "PROXY UNKNOWN\r\n";
  const ports = end - PORTS_LENGTH;
  const middle = (FIXED_LENGTH + ports) / 2;
  const start = family === "INET"
    ? `PROXY TCP4 ${formatIpv4(head, FIXED_LENGTH)} ${formatIpv4(head, middle)}`
    : `PROXY TCP6 ${formatIpv6(head, FIXED_LENGTH, false)} ${
      formatIpv6(head, middle, false)
    }`;
  return `${start} ${uint16(head, ports)} ${uint16(head, ports + 2)}\r\n`;
}
