import {
  type Address,
  encode,
  type EncodeOptions,
  type ProxyHeader,
} from "../../codec/mod.ts";
import { withoutZone } from "../_ends.ts";

/**
 * A header as nearly every receiver takes it: LOCAL where there is no address
 * to tell, and addresses without their zones.
 *
 * @throws {TypeError} like {@link encode}.
 * @throws {RangeError} like {@link encode}.
 */
export function headerBytes(
  header: ProxyHeader,
  options: EncodeOptions,
): Uint8Array<ArrayBuffer> {
  return encode(sendable(header), options);
}

function sendable(header: ProxyHeader): ProxyHeader {
  if (typeof header !== "object" || header === null) return header; // refused
  const { source, destination, family, transport } = header;
  const isUnspec = family === "UNSPEC" || transport === "UNSPEC";
  if (isUnspec || (source === undefined && destination === undefined)) {
    return { ...header, command: "LOCAL" };
  }
  return {
    ...header,
    ...(source && { source: zoneless(source) }),
    ...(destination && { destination: zoneless(destination) }),
  };
}

function zoneless(address: Address): Address {
  return "path" in address
    ? address
    : { ...address, hostname: withoutZone(address.hostname) };
}
