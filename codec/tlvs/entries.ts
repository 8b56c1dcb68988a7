import type { Block } from "../_block.ts";
import { plainView } from "../_plain_view.ts";
import { suggestion } from "../_options.ts";
import { quote } from "../_quote.ts";
import { encodeText, isAscii, writeLatin1 } from "../_text.ts";
import {
  CHECKSUM_LENGTH,
  LONGEST_TLV_VALUE,
  SSL_FIXED_LENGTH,
  TLV_HEADER_LENGTH,
} from "../_wire.ts";
import { readTlvs } from "./read.ts";
import {
  fits,
  isSslPart,
  isSslSubtype,
  lengthsOf,
  type NameRule,
  nameRule,
  TLV_TYPES,
  tlvName,
  tlvNames,
  tlvType,
} from "./types.ts";
import type { ProxyHeader, RawTlv, TlvLocations, Tlvs } from "../types.ts";

/** The client came over TLS, without a certificate that was verified (section 2.2.6). */
const DEFAULT_SSL_CLIENT = 0x01;
const DEFAULT_SSL_VERIFY = 1;

/** A value of a record. */
export type TlvValue = Tlvs[keyof Tlvs];

/** One TLV to write. */
export interface TlvEntry {
  type: number;
  /** Bytes, or what needs no buffer of its own: a text of one byte per character, 32 bits, the parts of SSL. */
  value: Uint8Array | string | number | SslValue;
}

/** An SSL TLV in its parts (section 2.2.6). */
interface SslValue {
  client: number;
  verify: number;
  entries: readonly TlvEntry[];
}

/**
 * Turns TLVs as they are given into a list as it is written, checked.
 *
 * @throws {TypeError} for an unknown name or a value of the wrong kind.
 * @throws {RangeError} for a value out of its range.
 */
export function tlvEntries(
  tlvs: Tlvs | Iterable<RawTlv>,
): TlvEntry[] {
  if (typeof tlvs !== "object" || tlvs === null) {
    throw new TypeError(
      `Cannot encode tlvs: expected a record or a list, received ${
        quote(tlvs)
      }`,
    );
  }
  return isIterable(tlvs)
    ? Array.from(tlvs, checkedEntry)
    : entriesOfRecord(tlvs);
}

/** Returns the length of entries on the wire, in bytes. */
export function entriesLength(entries: readonly TlvEntry[]): number {
  let length = 0;
  for (const { value } of entries) {
    length += TLV_HEADER_LENGTH + valueLength(value);
  }
  return length;
}

/** Returns the length of a value on the wire, in bytes. */
export function valueLength(value: TlvEntry["value"]): number {
  if (typeof value === "number") return CHECKSUM_LENGTH;
  if (typeof value === "string" || value instanceof Uint8Array) {
    return value.length;
  }
  return SSL_FIXED_LENGTH + entriesLength(value.entries);
}

/** Writes entries at `at`; where they end. */
export function writeEntries(
  entries: readonly TlvEntry[],
  target: Block,
  at: number,
): number {
  let end = at;
  for (const { type, value } of entries) {
    const start = end;
    target.bytes[start] = type;
    end = writeValue(value, target, start + TLV_HEADER_LENGTH);
    target.view.setUint16(start + 1, end - start - TLV_HEADER_LENGTH);
  }
  return end;
}

function writeValue(
  value: TlvEntry["value"],
  target: Block,
  at: number,
): number {
  const { bytes, view } = target;
  if (typeof value === "string") return writeLatin1(value, bytes, at);
  if (typeof value === "number") {
    view.setUint32(at, value);
    return at + CHECKSUM_LENGTH;
  }
  if (value instanceof Uint8Array) {
    bytes.set(value, at);
    return at + value.length;
  }
  bytes[at] = value.client;
  view.setUint32(at + 1, value.verify);
  return writeEntries(value.entries, target, at + SSL_FIXED_LENGTH);
}

/** Whether TLVs are given as a list. */
export function isIterable(
  tlvs: Tlvs | Iterable<RawTlv>,
): tlvs is Iterable<RawTlv> {
  return Symbol.iterator in tlvs;
}

/** A TLV as it was read is checked like one that is to be read. */
function checkedEntry(tlv: RawTlv): TlvEntry {
  const { type, value } = tlv ?? {};
  if (!Number.isInteger(type) || type < 0 || type > 0xff) {
    throw new RangeError(
      `Cannot encode tlvs: type must be 0 to 255, received ${quote(type)}`,
    );
  }
  return bytesEntry(tlvName(type), type, value);
}

/** The parts of SSL go into one TLV, at the place of the first of them. */
function entriesOfRecord(tlvs: Tlvs): TlvEntry[] {
  const { SSL, SSL_CLIENT, SSL_VERIFY } = tlvs;
  const writesSsl = givesSsl(SSL, SSL_CLIENT, SSL_VERIFY);
  const entries: TlvEntry[] = [];
  const subEntries: TlvEntry[] = [];
  let sslIndex: number | undefined;
  const record: Readonly<Record<string, TlvValue>> = tlvs;
  for (const name of Object.keys(record)) {
    const value = record[name];
    if (value === undefined) continue;
    if (isSslPart(name)) {
      sslIndex ??= entries.length;
      continue;
    }
    const rule = ruleOf(name);
    const entry = entryOf(name, rule, value);
    // Without the SSL that it stood beside, a stray would pass for a fact.
    if (SSL === false && isSslSubtype(rule.type)) continue;
    // `x22` is a stray outside SSL, `x2F` a sub-TLV that has no name yet.
    if (writesSsl && rule.isSslSub) {
      sslIndex ??= entries.length;
      subEntries.push(entry);
    } else {
      entries.push(entry);
    }
  }
  if (writesSsl) {
    const ssl = sslEntry(SSL_CLIENT, SSL_VERIFY, subEntries);
    entries.splice(sslIndex ?? 0, 0, ssl);
  }
  return entries;
}

/** The TLVs of a header that are to be written. */
export function writtenTlvs(
  { tlvs, tlv_loc }: ProxyHeader,
): ProxyHeader["tlvs"] {
  // What is no record is for others to reject.
  return !tlvs || !tlv_loc || typeof tlvs !== "object" || isIterable(tlvs)
    ? tlvs
    : withoutReadings(tlvs, tlv_loc);
}

/** A record without readings: they have a place, but no name of a TLV. */
export function withoutReadings(tlvs: Tlvs, tlv_loc: TlvLocations): Tlvs {
  const isReading = (name: string) =>
    tlv_loc[name] !== undefined && tlvType(name) === undefined;
  if (!Object.keys(tlvs).some(isReading)) return tlvs;
  return Object.fromEntries(
    [...givenTlvs(tlvs)].filter(([name]) => !isReading(name)),
  );
}

/** The values of a record by name, each read once. */
export function* givenTlvs(
  tlvs: Tlvs,
): Generator<readonly [name: string, value: TlvValue]> {
  const record: Readonly<Record<string, TlvValue>> = tlvs;
  for (const name of Object.keys(record)) {
    const value = record[name];
    if (value !== undefined) yield [name, value];
  }
}

/** Whether a record has an SSL TLV, by the parts of it that are given. */
export function givesSsl(
  ssl: TlvValue,
  client: TlvValue,
  verify: TlvValue,
): boolean {
  const gives = ssl ?? (client !== undefined || verify !== undefined);
  if (typeof gives !== "boolean") {
    throw new TypeError("Cannot encode tlvs.SSL: expected a boolean");
  }
  return gives;
}

/** An SSL TLV with its sub-TLVs. */
export function sslEntry(
  client: TlvValue = DEFAULT_SSL_CLIENT,
  verify: TlvValue = DEFAULT_SSL_VERIFY,
  subEntries: readonly TlvEntry[],
): TlvEntry {
  checkNumber("SSL_CLIENT", client, 0xff);
  checkNumber("SSL_VERIFY", verify, 0xffffffff);
  const value = { client, verify, entries: subEntries };
  const length = valueLength(value);
  if (length > LONGEST_TLV_VALUE) throw tooLong("SSL", length);
  return { type: TLV_TYPES.SSL, value };
}

/** A value of a record, by the kind of its name. */
export function namedEntry(name: string, value: TlvValue): TlvEntry {
  return entryOf(name, ruleOf(name), value);
}

function ruleOf(name: string): NameRule {
  const rule = nameRule(name);
  if (rule !== undefined) return rule;
  const field = /^\w{1,32}$/.test(name) ? `.${name}` : `[${quote(name)}]`;
  throw new TypeError(
    `Cannot encode tlvs${field}: unknown name${suggestion(name, tlvNames())}`,
  );
}

function entryOf(
  name: string,
  { type, kind }: NameRule,
  value: TlvValue,
): TlvEntry {
  if (kind === "text") {
    if (typeof value !== "string") {
      throw new TypeError(`Cannot encode tlvs.${name}: expected a string`);
    }
    if (value.length > LONGEST_TLV_VALUE) throw tooLong(name, value.length);
    if (isAscii(value)) return { type, value };
    const bytes = encodeText(value);
    if (bytes === undefined) {
      throw new TypeError(`Cannot encode tlvs.${name}: lone surrogate`);
    }
    return bytesEntry(name, type, bytes);
  }
  if (kind === "number") {
    checkNumber(name, value, 0xffffffff);
    return { type, value };
  }
  return bytesEntry(name, type, value);
}

function bytesEntry(name: string, type: number, value: unknown): TlvEntry {
  if (!(value instanceof Uint8Array)) {
    throw new TypeError(`Cannot encode tlvs.${name}: expected a Uint8Array`);
  }
  const bytes = plainView(value);
  if (bytes.length > LONGEST_TLV_VALUE) throw tooLong(name, bytes.length);
  if (!fits(type, bytes.length)) {
    throw new RangeError(
      `Cannot encode tlvs.${name}: expected ${
        lengthsOf(type)
      } bytes, received ${bytes.length}`,
    );
  }
  if (type === TLV_TYPES.SSL) checkSubTlvs(name, bytes);
  return { type, value: bytes };
}

/** Sub-TLVs that do not fill the SSL TLV would be rejected (section 2.2.6). */
function checkSubTlvs(name: string, ssl: Uint8Array): void {
  try {
    Array.from(readTlvs(ssl.subarray(SSL_FIXED_LENGTH)));
  } catch (cause) {
    throw new TypeError(`Cannot encode tlvs.${name}: malformed sub-TLVs`, {
      cause,
    });
  }
}

function tooLong(name: string, length: number): RangeError {
  return new RangeError(
    `Cannot encode tlvs.${name}: expected at most ${LONGEST_TLV_VALUE} bytes, received ${length}`,
  );
}

function checkNumber(
  name: string,
  value: unknown,
  largest: number,
): asserts value is number {
  if (typeof value !== "number") {
    throw new TypeError(`Cannot encode tlvs.${name}: expected a number`);
  }
  if (!Number.isInteger(value) || value < 0 || value > largest) {
    throw new RangeError(
      `Cannot encode tlvs.${name}: must be 0 to ${largest}, received ${value}`,
    );
  }
}
