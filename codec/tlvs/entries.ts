import { fits, lengthFault } from "./check.ts";
import { plainView } from "../_plain_view.ts";
import { quote } from "../_quote.ts";
import { encodeText, isAscii, writeLatin1 } from "../_text.ts";
import {
  LONGEST_TLV_VALUE,
  SSL_FIXED_LENGTH,
  TLV_HEADER_LENGTH,
  writeUint16,
  writeUint32,
} from "../_wire.ts";
import { readTlvs } from "./read.ts";
import { isSslSubtype, TLV_TYPES, tlvKind, tlvName, tlvType } from "./types.ts";
import type { RawTlv, Tlvs } from "../types.ts";

/** The client came over TLS, without a certificate that was verified (section 2.2.6). */
const DEFAULT_SSL_CLIENT = 0x01;
const DEFAULT_SSL_VERIFY = 1;

/** One TLV to write: its value as bytes, or as a text of one byte per character, which needs no buffer. */
export interface TlvEntry {
  type: number;
  value: Uint8Array | string;
}

/**
 * Turns TLVs as they are given into a list as it is written, checked. Values
 * that are in `target` are copied, for they would be written over.
 *
 * @throws {TypeError} for an unknown name or a value of the wrong kind.
 * @throws {RangeError} for a value out of its range.
 */
export function tlvEntries(
  tlvs: Tlvs | Iterable<RawTlv>,
  target?: Uint8Array,
): TlvEntry[] {
  if (typeof tlvs !== "object" || tlvs === null) {
    throw new TypeError(
      `Cannot encode tlvs: expected a record or a list, received ${
        quote(tlvs)
      }`,
    );
  }
  const entries = isIterable(tlvs)
    ? Array.from(tlvs, checkedEntry)
    : entriesOfRecord(tlvs);
  return target ? entries.map((entry) => apart(entry, target)) : entries;
}

/** Bytes that entries take on the wire. */
export function entriesLength(entries: readonly TlvEntry[]): number {
  let length = 0;
  for (const { value } of entries) length += TLV_HEADER_LENGTH + value.length;
  return length;
}

/** Writes entries at `at`. */
export function writeEntries(
  entries: readonly TlvEntry[],
  target: Uint8Array,
  at: number,
): void {
  for (const { type, value } of entries) {
    const start = at + TLV_HEADER_LENGTH;
    target[at] = type;
    writeUint16(target, at + 1, value.length);
    if (typeof value === "string") writeLatin1(value, target, start);
    else target.set(value, start);
    at = start + value.length;
  }
}

/** A value of a header that is rewritten in place, in a buffer of its own. */
function apart({ type, value }: TlvEntry, target: Uint8Array): TlvEntry {
  const isShared = typeof value !== "string" && value.buffer === target.buffer;
  return { type, value: isShared ? value.slice() : value };
}

function isIterable(tlvs: Tlvs | Iterable<RawTlv>): tlvs is Iterable<RawTlv> {
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
  const isSslGiven = tlvs.SSL_CLIENT !== undefined ||
    tlvs.SSL_VERIFY !== undefined;
  const writesSsl = tlvs.SSL ?? isSslGiven;
  if (typeof writesSsl !== "boolean") {
    throw new TypeError("Cannot encode tlvs.SSL: expected a boolean");
  }
  const entries: TlvEntry[] = [];
  const subEntries: TlvEntry[] = [];
  let sslIndex: number | undefined;
  const record: Readonly<Record<string, Tlvs[keyof Tlvs]>> = tlvs;
  for (const name of Object.keys(record)) {
    const value = record[name];
    if (value === undefined) continue;
    if (name === "SSL" || name === "SSL_CLIENT" || name === "SSL_VERIFY") {
      sslIndex ??= entries.length;
      continue;
    }
    const type = tlvType(name);
    if (type === undefined) {
      const field = /^\w{1,32}$/.test(name) ? `.${name}` : `[${quote(name)}]`;
      throw new TypeError(`Cannot encode tlvs${field}: unknown name`);
    }
    const entry = namedEntry(name, type, value);
    // Without the SSL that it stood beside, a stray would pass for a fact.
    if (isSslSubtype(type) && tlvs.SSL === false) continue;
    // `x22` is a stray outside SSL, `x2F` a sub-TLV that has no name yet.
    if (writesSsl && isSslSubtype(type) && name === tlvName(type)) {
      sslIndex ??= entries.length;
      subEntries.push(entry);
    } else {
      entries.push(entry);
    }
  }
  if (writesSsl) entries.splice(sslIndex ?? 0, 0, sslEntry(tlvs, subEntries));
  return entries;
}

function sslEntry(tlvs: Tlvs, subEntries: readonly TlvEntry[]): TlvEntry {
  const value = new Uint8Array(SSL_FIXED_LENGTH + entriesLength(subEntries));
  const { SSL_CLIENT = DEFAULT_SSL_CLIENT, SSL_VERIFY = DEFAULT_SSL_VERIFY } =
    tlvs;
  checkNumber("SSL_CLIENT", SSL_CLIENT, 0xff);
  checkNumber("SSL_VERIFY", SSL_VERIFY, 0xffffffff);
  value[0] = SSL_CLIENT;
  writeUint32(value, 1, SSL_VERIFY);
  writeEntries(subEntries, value, SSL_FIXED_LENGTH);
  return bytesEntry("SSL", TLV_TYPES.SSL, value);
}

/** A value of a record, by the kind of its type; `xNN` is always bytes. */
function namedEntry(
  name: string,
  type: number,
  value: Tlvs[keyof Tlvs],
): TlvEntry {
  const kind = name === tlvName(type) ? tlvKind(type) : "bytes";
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
    return { type, value: latin1Of(value) };
  }
  return bytesEntry(name, type, value);
}

/** The 4 bytes of a number. */
function latin1Of(number: number): string {
  return String.fromCharCode(
    number >>> 24,
    number >>> 16 & 0xff,
    number >>> 8 & 0xff,
    number & 0xff,
  );
}

function bytesEntry(name: string, type: number, value: unknown): TlvEntry {
  if (!(value instanceof Uint8Array)) {
    throw new TypeError(`Cannot encode tlvs.${name}: expected a Uint8Array`);
  }
  const bytes = plainView(value);
  if (bytes.length > LONGEST_TLV_VALUE) throw tooLong(name, bytes.length);
  if (!fits(type, bytes.length)) {
    throw new RangeError(
      `Cannot encode tlvs.${name}: ${lengthFault(type, bytes.length)}`,
    );
  }
  if (type === TLV_TYPES.SSL) checkSubTlvs(name, bytes);
  return { type, value: bytes };
}

/** Sub-TLVs that do not fill the SSL TLV would be refused (section 2.2.6). */
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
    `Cannot encode tlvs.${name}: a value takes at most ${LONGEST_TLV_VALUE} bytes, received ${length}`,
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
