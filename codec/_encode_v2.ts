/** Writes the binary header (section 2.2). */

import { type Endpoints, endpointsOf } from "./_endpoints.ts";
import { entriesLength, tlvEntries, writeEntries } from "./_tlv_entries.ts";
import {
  BLOCK_LENGTHS,
  CHECKSUM_LENGTH,
  COMMANDS,
  FAMILIES,
  FIXED_LENGTH,
  LONGEST_HEADER,
  PORTS_LENGTH,
  SIGNATURE,
  TLV_HEADER_LENGTH,
  TRANSPORTS,
  UNIX_PATH_LENGTH,
  VERSION_2,
} from "./_wire.ts";
import { headerChecksum } from "./crc32c.ts";
import { TLV_TYPES } from "./tlv_types.ts";
import type { EncodeOptions, ProxyHeader, RawTlv } from "./types.ts";

/** A header, checked and measured: writing it cannot fail. */
export interface PlanV2 {
  endpoints: Endpoints;
  /** The 13th and 14th byte. */
  commandByte: number;
  familyByte: number;
  /** Where TLVs begin, in bytes. */
  tlvStart: number;
  entries: readonly RawTlv[];
  /** Length of the header, in bytes. */
  length: number;
}

/** Checks and measures a header before a byte of it is written. */
export function planV2(header: ProxyHeader, options: EncodeOptions): PlanV2 {
  const endpoints = endpointsOf(header);
  const commandByte = VERSION_2 << 4 | COMMANDS.indexOf(endpoints.command);
  const familyByte = FAMILIES.indexOf(endpoints.family) << 4 |
    TRANSPORTS.indexOf(endpoints.transport);
  const entries = withChecksum(
    header.tlvs === undefined ? [] : tlvEntries(header.tlvs),
    options,
  );
  const tlvStart = FIXED_LENGTH +
    (endpoints.ends === undefined ? 0 : BLOCK_LENGTHS[familyByte] ?? 0);
  const written = padded(entries, tlvStart, options);
  const length = tlvStart + entriesLength(written);
  if (length > LONGEST_HEADER) {
    throw new RangeError(
      `Cannot encode tlvs: a header takes at most ${LONGEST_HEADER} bytes, received ${length}`,
    );
  }
  return {
    endpoints,
    commandByte,
    familyByte,
    tlvStart,
    entries: written,
    length,
  };
}

/** Writes a planned header at the start of `target`. */
export function writeV2(plan: PlanV2, target: Uint8Array): void {
  const { endpoints, tlvStart, entries, length } = plan;
  const announced = length - FIXED_LENGTH;
  target.set(SIGNATURE);
  target[SIGNATURE.length] = plan.commandByte;
  target[SIGNATURE.length + 1] = plan.familyByte;
  target[SIGNATURE.length + 2] = announced >> 8;
  target[SIGNATURE.length + 3] = announced & 0xff;
  if (endpoints.ends !== undefined) {
    const [source, destination] = endpoints.ends;
    if (endpoints.family === "UNIX") {
      target.fill(0, FIXED_LENGTH, tlvStart);
      target.set(source.host, FIXED_LENGTH);
      target.set(destination.host, FIXED_LENGTH + UNIX_PATH_LENGTH);
    } else {
      const ports = tlvStart - PORTS_LENGTH;
      target.set(source.host, FIXED_LENGTH);
      target.set(destination.host, FIXED_LENGTH + source.host.length);
      target[ports] = source.port >> 8;
      target[ports + 1] = source.port & 0xff;
      target[ports + 2] = destination.port >> 8;
      target[ports + 3] = destination.port & 0xff;
    }
  }
  writeEntries(entries, target, tlvStart);
  writeChecksum(plan, target);
}

/** Section 2.2.3: over the whole header, its own field as zero. */
function writeChecksum(plan: PlanV2, target: Uint8Array): void {
  let at = plan.tlvStart;
  for (const { type, value } of plan.entries) {
    const field = at + TLV_HEADER_LENGTH;
    if (type === TLV_TYPES.CRC32C) {
      const checksum = headerChecksum(target.subarray(0, plan.length), field);
      new DataView(target.buffer, target.byteOffset + field, CHECKSUM_LENGTH)
        .setUint32(0, checksum);
    }
    at = field + value.length;
  }
}

function withChecksum(
  entries: readonly RawTlv[],
  { checksum }: EncodeOptions,
): readonly RawTlv[] {
  const isChecksum = ({ type }: RawTlv) => type === TLV_TYPES.CRC32C;
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
  entries: readonly RawTlv[],
  tlvStart: number,
  { align = 1 }: EncodeOptions,
): readonly RawTlv[] {
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
