/** Writes the human-readable header (section 2.1). */

import { LONGEST_BLOCK, readEndpoints } from "./_endpoints.ts";
import { formatIpv4, formatIpv6 } from "./_ip_text.ts";
import { FAMILIES, PORTS_LENGTH, TRANSPORTS, uint16 } from "./_wire.ts";
import type { ProxyHeader } from "./types.ts";

/** The addresses of one header at a time. */
const block = new Uint8Array(LONGEST_BLOCK);

/** The line of a header; UNKNOWN, in its short form, for what v1 cannot say. */
export function lineOf(header: ProxyHeader): string {
  const { familyByte, blockLength } = readEndpoints(header, block);
  const family = FAMILIES[familyByte >> 4];
  const isTcp = TRANSPORTS[familyByte & 0x0f] === "STREAM" && family !== "UNIX";
  if (blockLength === 0 || !isTcp) return "PROXY UNKNOWN\r\n";
  const ports = blockLength - PORTS_LENGTH;
  const sourcePort = uint16(block, ports);
  const destinationPort = uint16(block, ports + 2);
  const start = family === "INET"
    ? `PROXY TCP4 ${formatIpv4(block, 0)} ${formatIpv4(block, 4)}`
    : `PROXY TCP6 ${formatIpv6(block, 0, false)} ${
      formatIpv6(block, 16, false)
    }`;
  return `${start} ${sourcePort} ${destinationPort}\r\n`;
}
