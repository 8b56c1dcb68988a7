/** Writes the binary header (section 2.2). */

import { type Block, type Composed, newBlock } from "./_block.ts";
import { newHead, readEndpoints } from "./_endpoints.ts";
import { hasReceivedEnds, receivedHeader } from "./_received.ts";
import {
  entriesLength,
  isIterable,
  tlvEntries,
  type TlvEntry,
  valueLength,
  writeEntries,
  writtenTlvs,
} from "./tlvs/entries.ts";
import { mergedEntries } from "./tlvs/merge.ts";
import {
  FAMILY_AT,
  FIXED_LENGTH,
  LENGTH_AT,
  LONGEST_HEADER,
  TLV_HEADER_LENGTH,
} from "./_wire.ts";
import { headerChecksum } from "./crc32c.ts";
import { TLV_TYPES } from "./tlvs/types.ts";
import type { EncodeRules } from "./_encode_options.ts";
import type { ProxyHeader } from "./types.ts";

/** Room that nearly all headers need no more than. */
const USUAL_LENGTH = 512;

/** One header at a time. A longer one has a block of its own. */
const head = newHead(USUAL_LENGTH);

/** A checksum that is yet to be computed. */
const NEW_CHECKSUM: TlvEntry = { type: TLV_TYPES.CRC32C, value: 0 };

/** Checks a header and makes its bytes. */
export function composeV2(header: ProxyHeader, rules: EncodeRules): Composed {
  const { checksum, align } = rules;
  const isPlain = header.tlvs === undefined && header.raw === undefined &&
    !checksum && align === 1;
  // As most are; a tenth of the time is saved.
  if (isPlain) return withTlvs([], readEndpoints(header, head));
  const tlvs = writtenTlvs(header);
  const received = receivedHeader(header);
  const merged = received === undefined || tlvs === undefined ||
      isIterable(tlvs)
    ? undefined
    : mergedEntries(tlvs, received.info);
  const given = merged?.entries ??
    (tlvs === undefined ? [] : tlvEntries(tlvs));
  const checked = withChecksum(given, checksum);
  // Last, for the head to be of this header: what came before may run code of the caller.
  let tlv_start = readEndpoints(header, head);
  if (received !== undefined && hasReceivedEnds(received, head, tlv_start)) {
    const { raw, rest } = received.info;
    tlv_start = raw.length - rest.length;
    for (let i = FAMILY_AT; i < tlv_start; i++) head.bytes[i] = raw[i]!;
    const isWhole = received.isValid && merged?.isUnchanged === true &&
      checksum === undefined && raw.length % align === 0;
    if (isWhole) return { bytes: new Uint8Array(raw), length: raw.length };
  }
  return withTlvs(padded(checked, tlv_start, align), tlv_start);
}

/** Adds TLVs to what {@link head} has up to `tlv_start`. */
function withTlvs(entries: readonly TlvEntry[], tlv_start: number): Composed {
  const length = tlv_start + entriesLength(entries);
  if (length > LONGEST_HEADER) {
    throw new RangeError(
      `Cannot encode tlvs: a header has at most ${LONGEST_HEADER} bytes, received ${length}`,
    );
  }
  const block = length > USUAL_LENGTH ? longer(length, tlv_start) : head;
  block.view.setUint16(LENGTH_AT, length - FIXED_LENGTH);
  if (entries.length > 0) {
    writeEntries(entries, block, tlv_start);
    writeChecksum(entries, block, tlv_start, length);
  }
  return { bytes: block.bytes, length };
}

/** A block that begins as {@link head} does. */
function longer(length: number, tlv_start: number): Block {
  const block = newBlock(length);
  block.bytes.set(head.bytes.subarray(0, tlv_start));
  return block;
}

/** Section 2.2.3: over the whole header, its own field as zero. */
function writeChecksum(
  entries: readonly TlvEntry[],
  { view }: Block,
  tlv_start: number,
  length: number,
): void {
  let at = tlv_start;
  for (const { type, value } of entries) {
    const field = at + TLV_HEADER_LENGTH;
    if (type === TLV_TYPES.CRC32C) {
      view.setUint32(field, headerChecksum(view, length, field));
    }
    at = field + valueLength(value);
  }
}

function withChecksum(
  entries: readonly TlvEntry[],
  checksum: boolean | undefined,
): readonly TlvEntry[] {
  let count = 0;
  let last: TlvEntry | undefined;
  for (const entry of entries) {
    if (entry.type !== TLV_TYPES.CRC32C) continue;
    count++;
    last = entry;
  }
  if (count === 0) return checksum ? [NEW_CHECKSUM, ...entries] : entries;
  if (count === 1 && checksum !== false) return entries;
  // Of two checksums the first would be over the second: one is written.
  return entries.filter((entry) =>
    entry.type !== TLV_TYPES.CRC32C || (entry === last && checksum !== false)
  );
}

/** Section 2.2.4: a NOOP takes 3 bytes at least, so 1 or 2 bytes become a whole step more. */
function padded(
  entries: readonly TlvEntry[],
  tlv_start: number,
  align: number,
): readonly TlvEntry[] {
  if (align === 1) return entries;
  const over = (tlv_start + entriesLength(entries)) % align;
  if (over === 0) return entries;
  const step = align - over;
  const padding = step < TLV_HEADER_LENGTH ? step + align : step;
  const value = new Uint8Array(padding - TLV_HEADER_LENGTH);
  return [...entries, { type: TLV_TYPES.NOOP, value }];
}
