import { ProxyProtocolError } from "../error.ts";
import type { LocatedTlv, ProxyInfo, TlvReader } from "../types.ts";
import { wholeTlvs } from "./read.ts";

/**
 * Adds the values of defined TLVs to those of a header. It is the last that is
 * done with one: readers are code of the user, and may decode other headers.
 */
export function readDefined(
  info: ProxyInfo,
  readers: readonly TlvReader[],
  isStrict: boolean,
): void {
  for (const tlv of wholeTlvs(info.rest)) {
    for (const reader of readers) {
      if (reader.type === tlv.type) readOne(info, reader, tlv, isStrict);
    }
  }
}

function readOne(
  { tlvs, tlv_loc, tlv_start = 0, raw }: ProxyInfo,
  reader: TlvReader,
  { offset, value }: LocatedTlv,
  isStrict: boolean,
): void {
  let read: unknown;
  try {
    read = reader.read(value);
  } catch (cause) {
    if (isStrict) throw readerError(reader, tlv_start + offset, raw, cause);
    return;
  }
  if (read === undefined) return;
  Object.assign(tlvs, { [reader.tlvName]: read });
  tlv_loc[reader.tlvName] = offset;
}

function readerError(
  { tlvName }: TlvReader,
  offset: number,
  received: Uint8Array,
  cause: unknown,
): ProxyProtocolError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new ProxyProtocolError(
    `Cannot decode TLVs: ${tlvName} at byte ${offset}, its reader failed: ${reason}`,
    "tlv",
    { offset, version: 2, received, cause },
  );
}
