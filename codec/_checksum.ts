import { viewOf } from "./_block.ts";
import { TLV_HEADER_LENGTH } from "./_wire.ts";
import { headerChecksum } from "./crc32c.ts";
import type { ProxyInfo } from "./types.ts";

/** Whether the checksum of a header matches (section 2.2.3); `undefined` where it has none. */
export function isChecksumRight(info: ProxyInfo): boolean | undefined {
  const { CRC32C } = info.tlvs;
  return CRC32C === undefined
    ? undefined
    : CRC32C === checksumOf(info, checksumAt(info));
}

/** Where the TLV is that `info.tlvs.CRC32C` comes from, the last of several. */
export function checksumAt({ tlv_loc, tlv_start = 0 }: ProxyInfo): number {
  return tlv_start + (tlv_loc["CRC32C"] ?? 0);
}

/** CRC32C of a header, the field of the TLV at `offset` as zero. */
export function checksumOf({ raw }: ProxyInfo, offset: number): number {
  return headerChecksum(viewOf(raw), raw.length, offset + TLV_HEADER_LENGTH);
}
