import { checkHeader } from "../../codec/internal.ts";
import {
  type Address,
  encode,
  type EncodeOptions,
  type ProxyHeader,
} from "../../codec/mod.ts";
import { withoutZone } from "../_ends.ts";

/**
 * A header that nearly every receiver accepts: LOCAL if there are no addresses,
 * and addresses without their zones. The options may be among others,
 * such as those of `relay`.
 *
 * @throws {TypeError} like {@link encode}.
 * @throws {RangeError} like {@link encode}.
 */
export function headerBytes(
  header: ProxyHeader,
  { version, checksum, align }: EncodeOptions,
): Uint8Array<ArrayBuffer> {
  const options: EncodeOptions = {};
  if (version !== undefined) options.version = version;
  if (checksum !== undefined) options.checksum = checksum;
  if (align !== undefined) options.align = align;
  return encode(sendable(header), options);
}

/** Fields are read by name: those of a class are not its own. */
function sendable(header: ProxyHeader): ProxyHeader {
  checkHeader(header);
  const { version, command, family, transport, tlvs, raw } = header;
  const { source, destination } = header;
  const sent: ProxyHeader = {};
  if (version !== undefined) sent.version = version;
  if (tlvs !== undefined) sent.tlvs = tlvs;
  if (raw !== undefined) sent.raw = raw;
  const isUnspec = family === "UNSPEC" || transport === "UNSPEC";
  if (isUnspec || (source === undefined && destination === undefined)) {
    sent.command = "LOCAL";
    return sent;
  }
  if (command !== undefined) sent.command = command;
  if (family !== undefined) sent.family = family;
  if (transport !== undefined) sent.transport = transport;
  if (source) sent.source = zoneless(source);
  if (destination) sent.destination = zoneless(destination);
  return sent;
}

function zoneless(address: Address): Address {
  if ("path" in address) return address;
  const hostname = withoutZone(address.hostname);
  return hostname === address.hostname ? address : { ...address, hostname };
}
