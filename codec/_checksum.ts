import { viewOf } from "./_block.ts";
import { TLV_HEADER_LENGTH } from "./_wire.ts";
import { headerChecksum } from "./crc32c.ts";
import type { ProxyInfo } from "./types.ts";

/** Whether the checksum of a header matches (section 2.2.3); `undefined` where it has none. */
export function isChecksumRight(info: ProxyInfo): boolean | undefined {
  const { CRC32C } = info.tlvs;
  if (CRC32C === undefined) return undefined;
  const offset = checksumAt(info);
  // A caller may have added one that is in no header.
  return offset !== undefined && CRC32C === checksumOf(info, offset);
}

/** Where the TLV of `info.tlvs.CRC32C` is, the last of several; `undefined` if there is none. */
export function checksumAt(
  { tlv_loc: { CRC32C }, tlv_start }: ProxyInfo,
): number | undefined {
  return CRC32C === undefined || tlv_start === undefined
    ? undefined
    : tlv_start + CRC32C;
}

/** CRC32C of a header, the field of the TLV at `offset` as zero. */
export function checksumOf({ raw }: ProxyInfo, offset: number): number {
  return headerChecksum(viewOf(raw), raw.length, offset + TLV_HEADER_LENGTH);
}
