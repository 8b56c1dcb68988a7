/**
 * What a header says, as text by name, so that two readers of it can be
 * compared.
 *
 * @module
 */

import type { Address, ProxyInfo } from "../../../codec/mod.ts";
import { textBytes } from "../fuzz/_outcome.ts";

/** Facts by name. */
export type Facts = Record<string, string>;

/** What both programs tell. */
export function commonFacts(
  info: ProxyInfo,
  hostOf: (hostname: string) => string,
): Facts {
  const end = (address: Address) =>
    address.hostname !== undefined
      ? `${hostOf(address.hostname)} ${address.port}`
      : textBytes(address.path).toHex();
  const { source, destination } = info;
  return {
    length: `${info.raw.length}`,
    version: `${info.version}`,
    command: info.command,
    family: info.family,
    transport: info.transport,
    ...(source && { source: end(source) }),
    ...(destination && { destination: end(destination) }),
  };
}

/** An IPv6 address as 8 groups of 4 digits; IPv4 as it is. */
export function exploded(hostname: string): string {
  if (!hostname.includes(":")) return hostname;
  const canonical = new URL(`http://[${hostname}]/`).hostname.slice(1, -1);
  const [before = "", after] = canonical.split("::");
  const groups = (text: string) => text === "" ? [] : text.split(":");
  const [head, tail] = [groups(before), groups(after ?? "")];
  const gap = Array<string>(8 - head.length - tail.length).fill("0");
  return [...head, ...gap, ...tail].map((group) => group.padStart(4, "0"))
    .join(":");
}
