/** The header that a decoded info was read from, for what is unchanged to be written as it came. */

import type { Block } from "./_block.ts";
import { newHead, readEndpoints } from "./_endpoints.ts";
import { plainView } from "./_plain_view.ts";
import { scanV2 } from "./_v2.ts";
import {
  COMMAND_AT,
  FAMILY_AT,
  FIXED_LENGTH,
  LONGEST_ADDRESSED,
  LONGEST_HEADER,
} from "./_wire.ts";
import type {
  DecodeOptions,
  Family,
  ProxyHeader,
  ProxyInfo,
  Transport,
} from "./types.ts";

/** A v2 header that was received. */
export interface Received {
  /** What it says, read anew: the info may have been changed since. */
  info: ProxyInfo;
  /** Whether the defaults of `decode` accept it, whatever its length. */
  isValid: boolean;
  /** Family and transport that the caller gives for it. */
  family: Family | undefined;
  transport: Transport | undefined;
}

const STRICT: DecodeOptions = {};
const LENIENT: DecodeOptions = { checksum: "ignore", tlvs: "lenient" };

/** The ends of one received header at a time, as this codec writes them. */
const ends = newHead(LONGEST_ADDRESSED);

/** The v2 header in `raw`, if that is what a header was decoded from. */
export function receivedHeader(header: ProxyHeader): Received | undefined {
  const { raw } = header;
  if (raw === undefined || !(raw instanceof Uint8Array)) return undefined;
  const { family, transport } = header;
  const bytes = plainView(raw);
  const valid = scanOrFail(bytes, STRICT);
  if (valid !== undefined) {
    return { info: valid, isValid: true, family, transport };
  }
  const info = scanOrFail(bytes, LENIENT);
  return info && { info, isValid: false, family, transport };
}

function scanOrFail(
  bytes: Uint8Array,
  options: DecodeOptions,
): ProxyInfo | undefined {
  try {
    const result = scanV2(bytes, options, LONGEST_HEADER);
    return typeof result === "number" ? undefined : result;
  } catch {
    return undefined; // rejected
  }
}

/**
 * Whether what `head` says up to `end` is what a received PROXY header says.
 * Other bytes may say the same: a path with bytes after its NUL, or addresses
 * without a transport.
 */
export function hasReceivedEnds(
  { info, family, transport }: Received,
  { bytes: head }: Block,
  end: number,
): boolean {
  const isSame = info.command === "PROXY" && family === info.family &&
    transport === info.transport;
  if (!isSame || readEndpoints(info, ends) !== end) return false;
  const isSameFixed = head[COMMAND_AT] === ends.bytes[COMMAND_AT] &&
    head[FAMILY_AT] === ends.bytes[FAMILY_AT];
  if (!isSameFixed) return false;
  for (let i = FIXED_LENGTH; i < end; i++) {
    if (head[i] !== ends.bytes[i]) return false;
  }
  return true;
}
