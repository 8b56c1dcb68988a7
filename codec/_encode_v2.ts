/** Writes the binary header (section 2.2). */

import { newHead, readEndpoints } from "./_endpoints.ts";
import { put32, viewOf } from "./_block.ts";
import { hasReceivedEnds, receivedHeader } from "./_received.ts";
import {
  apart,
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

/** A header, checked and measured: writing it cannot fail. */
export interface PlanV2 {
  /** Where TLVs begin: {@link head} has what comes before. */
  tlv_start: number;
  entries: readonly TlvEntry[];
  /** Length of the header, in bytes. */
  length: number;
  /** The bytes to write, when they are those that it was decoded from. */
  raw?: Uint8Array;
}

/** What one header at a time says, from its plan until it is written. */
const head = newHead();

const NO_ENTRIES: readonly TlvEntry[] = [];

/** A checksum that is yet to be computed. */
const NEW_CHECKSUM: TlvEntry = { type: TLV_TYPES.CRC32C, value: 0 };

/**
 * Checks and measures a header before a byte of it is written, into `target` if the
 * caller has one.
 */
export function planV2(
  header: ProxyHeader,
  { checksum, align }: EncodeRules,
  target?: Uint8Array,
): PlanV2 {
  const tlvs = writtenTlvs(header);
  const received = receivedHeader(header);
  const merged = received === undefined || tlvs === undefined ||
      isIterable(tlvs)
    ? undefined
    : mergedEntries(tlvs, received.info);
  const given = merged?.entries ??
    (tlvs === undefined ? NO_ENTRIES : tlvEntries(tlvs));
  const checked = withChecksum(
    target && given.length > 0
      ? given.map((entry) => apart(entry, target))
      : given,
    checksum,
  );
  // Last, for the head to be of this header: what came before may run code of the caller.
  let tlv_start = readEndpoints(header, head);
  if (received !== undefined && hasReceivedEnds(received, head, tlv_start)) {
    const { raw, rest } = received.info;
    tlv_start = raw.length - rest.length;
    for (let i = FAMILY_AT; i < tlv_start; i++) head.bytes[i] = raw[i]!;
    const isWhole = received.isValid && merged?.isUnchanged === true &&
      checksum === undefined && raw.length % align === 0;
    if (isWhole) return { tlv_start, entries: [], length: raw.length, raw };
  }
  const entries = padded(checked, tlv_start, align);
  const length = tlv_start + entriesLength(entries);
  if (length > LONGEST_HEADER) {
    throw new RangeError(
      `Cannot encode tlvs: a header has at most ${LONGEST_HEADER} bytes, received ${length}`,
    );
  }
  return { tlv_start, entries, length };
}

/** Writes the header planned last at the start of `target`. */
export function writeV2(plan: PlanV2, target: Uint8Array): void {
  const { tlv_start, entries, length, raw } = plan;
  if (raw !== undefined) return target.set(raw);
  head.view.setUint16(LENGTH_AT, length - FIXED_LENGTH);
  for (let i = 0; i < tlv_start; i++) target[i] = head.bytes[i]!;
  if (entries.length === 0) return;
  writeEntries(entries, target, tlv_start);
  writeChecksum(plan, target);
}

/** Section 2.2.3: over the whole header, its own field as zero. */
function writeChecksum(plan: PlanV2, target: Uint8Array): void {
  let at = plan.tlv_start;
  for (const { type, value } of plan.entries) {
    const field = at + TLV_HEADER_LENGTH;
    if (type === TLV_TYPES.CRC32C) {
      put32(headerChecksum(viewOf(target), plan.length, field), target, field);
    }
    at = field + valueLength(value);
  }
}

function withChecksum(
  entries: readonly TlvEntry[],
  checksum: boolean | undefined,
): readonly TlvEntry[] {
  const first = entries.findIndex(isChecksum);
  if (first < 0) return checksum ? [NEW_CHECKSUM, ...entries] : entries;
  const last = entries.findLastIndex(isChecksum);
  if (first === last && checksum !== false) return entries;
  // Of two checksums the first would be over the second: one is written.
  return entries.filter((entry, i) =>
    !isChecksum(entry) || (i === last && checksum !== false)
  );
}

function isChecksum({ type }: TlvEntry): boolean {
  return type === TLV_TYPES.CRC32C;
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
