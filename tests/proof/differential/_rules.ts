/**
 * Why another implementation may differ: what it does otherwise, each for a
 * reason, as a check of the input and not of the difference alone.
 *
 * @module
 */

import {
  type DecodeOptions,
  decodeTlvs,
  type ProxyInfo,
  ProxyProtocolError,
} from "../../../codec/mod.ts";
import { BLOCK_LENGTHS } from "../../codec/_hex.ts";
import type { Facts } from "./_facts.ts";

/** Something that an implementation does otherwise. */
export interface Rule {
  /** What it does. */
  name: string;
  /** Why we do not: the section of the specification, or what we promise. */
  why: string;
}

/** It accepts what is refused here. */
export interface AcceptsRule extends Rule {
  /** The header without what it overlooks; a header without that as it is. */
  undo?(header: Uint8Array): Uint8Array;
  /** Options that overlook the same. */
  options?: DecodeOptions;
}

/** It refuses what is accepted here. */
export interface RefusesRule extends Rule {
  applies(info: ProxyInfo, header: Uint8Array): boolean;
}

/** It reads something else. */
export interface ReadsRule extends Rule {
  /** Whether it explains one fact of a header: theirs beside ours. */
  applies(
    info: ProxyInfo,
    fact: {
      name: string;
      ours: string | undefined;
      theirs: string | undefined;
    },
    all: { ours: Facts; theirs: Facts },
  ): boolean;
}

/** All rules for one implementation. */
export interface Rules {
  accepts: readonly AcceptsRule[];
  refuses: readonly RefusesRule[];
  reads: readonly ReadsRule[];
}

/** Changes the words of a v1 line, of which CRLF is not a part. */
export function withWords(
  header: Uint8Array,
  change: (words: string[]) => string[],
): Uint8Array {
  const end = header.indexOf(0x0a);
  if (header[0] !== 0x50 || end < 1) return header;
  const line = String.fromCharCode(...header.subarray(0, end - 1));
  const words = change(line.split(" ")).join(" ");
  return words === line
    ? header
    : Uint8Array.from(`${words}\r\n`, (letter) => letter.charCodeAt(0));
}

/** Changes one word of a TCP4 or TCP6 line by its place. */
export function withWord(
  header: Uint8Array,
  places: readonly number[],
  change: (word: string, protocol: string) => string,
): Uint8Array {
  return withWords(
    header,
    (words) =>
      words.map((word, place) =>
        places.includes(place) && words[1] !== "UNKNOWN"
          ? change(word, words[1] ?? "")
          : word
      ),
  );
}

/** Neither knows checksums. */
export const NO_CHECKSUM: AcceptsRule = {
  name: "does not verify CRC32C",
  why: "2.2.3: a receiver must treat a wrong checksum as invalid",
  options: { checksum: "ignore" },
};

/** Both leave TLVs for later. */
export const NO_TLVS: AcceptsRule = {
  name: "does not read TLVs before it accepts",
  why: "2.2: TLVs fill the rest of the header; 2.2.5, 2.2.6: their lengths",
  options: { tlvs: "lenient" },
};

/** Both end a line at its first LF. */
export const LONE_LF: RefusesRule = {
  name: "ends UNKNOWN at a LF without CR, and refuses it",
  why: "2.1: anything before the CRLF is ignored",
  applies: ({ version, rest }) => version === 1 && rest.includes(0x0a),
};

/** Both refuse families that are undefined. */
export const NO_UNDEFINED_LOCAL: RefusesRule = {
  name: "wants a defined family and transport of LOCAL",
  why: "2.2: the family of LOCAL is ignored",
  applies: ({ version, command }, header) =>
    version === 2 && command === "LOCAL" && !BLOCK_LENGTHS.has(header[13] ?? 0),
};

/** Where LOCAL carries addresses both show them. */
export const SHOWS_LOCAL: ReadsRule = {
  name: "shows the family and addresses of LOCAL",
  why: "2.2: a receiver must discard the protocol block of LOCAL",
  applies: ({ command }, { name }) =>
    command === "LOCAL" &&
    ["family", "transport", "source", "destination"].includes(name),
};

/** Whether a header has an address block. */
export function hasAddresses({ source }: ProxyInfo): boolean {
  return source !== undefined;
}

/** Whether what follows is TLVs by all rules. */
export function hasGoodTlvs({ rest }: ProxyInfo): boolean {
  try {
    decodeTlvs(rest);
    return true;
  } catch (error) {
    if (error instanceof ProxyProtocolError) return false;
    throw error;
  }
}
