/** Writes the human-readable header (section 2.1). */

import { endpointsOf } from "./_endpoints.ts";
import { formatIpv4, formatIpv6 } from "./_ip_text.ts";
import type { ProxyHeader } from "./types.ts";

/** The line of a header; UNKNOWN, in its short form, for what v1 cannot say. */
export function lineOf(header: ProxyHeader): string {
  const { family, transport, ends } = endpointsOf(header);
  const isTcp = transport === "STREAM" && family !== "UNIX";
  if (ends === undefined || !isTcp) return "PROXY UNKNOWN\r\n";
  const [source, destination] = ends;
  const from = text(source.host);
  const to = text(destination.host);
  const protocol = family === "INET" ? "TCP4" : "TCP6";
  return `PROXY ${protocol} ${from} ${to} ${source.port} ${destination.port}\r\n`;
}

function text(octets: Uint8Array): string {
  return octets.length === 4
    ? formatIpv4(octets, 0)
    : formatIpv6(octets, 0, false);
}
