/** Writes the binary header (section 2.2). */

import { LONGEST_BLOCK, readEndpoints } from "./_endpoints.ts";
import {
  entriesLength,
  tlvEntries,
  type TlvEntry,
  writeEntries,
} from "./_tlv_entries.ts";
import {
  CHECKSUM_LENGTH,
  FIXED_LENGTH,
  LONGEST_HEADER,
  SIGNATURE,
  TLV_HEADER_LENGTH,
  writeUint16,
  writeUint32,
} from "./_wire.ts";
import { headerChecksum } from "./crc32c.ts";
import { TLV_TYPES } from "./tlv_types.ts";
import type { EncodeOptions, ProxyHeader } from "./types.ts";

/** A header, checked and measured: writing it cannot fail. */
export interface PlanV2 {
  /** Byte 13 and 14. */
  commandByte: number;
  familyByte: number;
  /** Bytes of the address block, which is in {@link block}. */
  blockLength: number;
  entries: readonly TlvEntry[];
  /** Length of the header, in bytes. */
  length: number;
}

/** The addresses of one header at a time, from its plan until it is written. */
const block = new Uint8Array(LONGEST_BLOCK);

const NO_ENTRIES: readonly TlvEntry[] = [];

/** Checks and measures a header before a byte of it is written. */
export function planV2(header: ProxyHeader, options: EncodeOptions): PlanV2 {
  const { tlvs } = header;
  const { checksum, align = 1 } = options;
  const given = tlvs === undefined ? NO_ENTRIES : tlvEntries(tlvs);
  const checked = given.length === 0 && !checksum
    ? given
    : withChecksum(given, checksum);
  // Last, for the block to be of this header: a list of TLVs may run code of the caller.
  const { commandByte, familyByte, blockLength } = readEndpoints(header, block);
  const entries = padded(checked, FIXED_LENGTH + blockLength, align);
  const length = FIXED_LENGTH + blockLength + entriesLength(entries);
  if (length > LONGEST_HEADER) {
    throw new RangeError(
      `Cannot encode tlvs: a header takes at most ${LONGEST_HEADER} bytes, received ${length}`,
    );
  }
  return { commandByte, familyByte, blockLength, entries, length };
}

/** Writes the header planned last at the start of `target`. */
export function writeV2(plan: PlanV2, target: Uint8Array): void {
  const { blockLength, entries, length } = plan;
  for (let i = 0; i < SIGNATURE.length; i++) target[i] = SIGNATURE[i] ?? 0;
  target[SIGNATURE.length] = plan.commandByte;
  target[SIGNATURE.length + 1] = plan.familyByte;
  writeUint16(target, SIGNATURE.length + 2, length - FIXED_LENGTH);
  for (let i = 0; i < blockLength; i++) {
    target[FIXED_LENGTH + i] = block[i] ?? 0;
  }
  if (entries.length === 0) return;
  writeEntries(entries, target, FIXED_LENGTH + blockLength);
  writeChecksum(plan, target);
}

/** Section 2.2.3: over the whole header, its own field as zero. */
function writeChecksum(plan: PlanV2, target: Uint8Array): void {
  let at = FIXED_LENGTH + plan.blockLength;
  for (const { type, value } of plan.entries) {
    const field = at + TLV_HEADER_LENGTH;
    if (type === TLV_TYPES.CRC32C) {
      writeUint32(target, field, headerChecksum(target, plan.length, field));
    }
    at = field + value.length;
  }
}

function withChecksum(
  entries: readonly TlvEntry[],
  checksum: boolean | undefined,
): readonly TlvEntry[] {
  const isChecksum = ({ type }: TlvEntry) => type === TLV_TYPES.CRC32C;
  const last = entries.findLastIndex(isChecksum);
  if (last < 0 && checksum) {
    const value = new Uint8Array(CHECKSUM_LENGTH);
    return [{ type: TLV_TYPES.CRC32C, value }, ...entries];
  }
  // Of two checksums the first would be over the second: one is written.
  return entries.filter((entry, i) =>
    !isChecksum(entry) || (i === last && checksum !== false)
  );
}

/** Section 2.2.4: a NOOP takes 3 bytes at least, so 1 or 2 bytes become a whole step more. */
function padded(
  entries: readonly TlvEntry[],
  tlvStart: number,
  align: number,
): readonly TlvEntry[] {
  if (!Number.isInteger(align) || align < 1 || align > LONGEST_HEADER) {
    throw new RangeError(
      `Cannot encode with align: must be 1 to ${LONGEST_HEADER}, received ${align}`,
    );
  }
  const over = (tlvStart + entriesLength(entries)) % align;
  if (over === 0) return entries;
  const step = align - over;
  const padding = step < TLV_HEADER_LENGTH ? step + align : step;
  const value = new Uint8Array(padding - TLV_HEADER_LENGTH);
  return [...entries, { type: TLV_TYPES.NOOP, value }];
}
