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
  return encode(sendable(header), {
    ...(version !== undefined && { version }),
    ...(checksum !== undefined && { checksum }),
    ...(align !== undefined && { align }),
  });
}

/** Fields are read by name: those of a class are not its own. */
function sendable(header: ProxyHeader): ProxyHeader {
  checkHeader(header);
  const { version, command, family, transport, tlvs, raw } = header;
  const { source, destination } = header;
  const fields: ProxyHeader = {
    ...(version !== undefined && { version }),
    ...(tlvs !== undefined && { tlvs }),
    ...(raw !== undefined && { raw }),
  };
  const isUnspec = family === "UNSPEC" || transport === "UNSPEC";
  if (isUnspec || (source === undefined && destination === undefined)) {
    return { ...fields, command: "LOCAL" };
  }
  return {
    ...fields,
    ...(command !== undefined && { command }),
    ...(family !== undefined && { family }),
    ...(transport !== undefined && { transport }),
    ...(source && { source: zoneless(source) }),
    ...(destination && { destination: zoneless(destination) }),
  };
}

function zoneless(address: Address): Address {
  return "path" in address
    ? address
    : { ...address, hostname: withoutZone(address.hostname) };
}
