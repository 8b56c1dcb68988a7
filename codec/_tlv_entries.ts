import { fits, lengthFault } from "./_check_tlvs.ts";
import { quote } from "./_quote.ts";
import { encodeText } from "./_text.ts";
import {
  CHECKSUM_LENGTH,
  LONGEST_TLV_VALUE,
  SSL_FIXED_LENGTH,
  TLV_HEADER_LENGTH,
} from "./_wire.ts";
import { readTlvs } from "./read_tlvs.ts";
import {
  isSslSubtype,
  TLV_TYPES,
  tlvKind,
  tlvName,
  tlvType,
} from "./tlv_types.ts";
import type { RawTlv, Tlvs } from "./types.ts";

/** The client came over TLS, without a certificate that was verified (section 2.2.6). */
const DEFAULT_SSL_CLIENT = 0x01;
const DEFAULT_SSL_VERIFY = 1;

/**
 * Turns TLVs as they are given into a list as it is written, checked.
 *
 * @throws {TypeError} for an unknown name or a value of the wrong kind.
 * @throws {RangeError} for a value out of its range.
 */
export function tlvEntries(tlvs: Tlvs | Iterable<RawTlv>): RawTlv[] {
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

/** Bytes that entries take on the wire. */
export function entriesLength(entries: readonly RawTlv[]): number {
  return entries.reduce(
    (length, { value }) => length + TLV_HEADER_LENGTH + value.length,
    0,
  );
}

/** Writes entries at `at`. */
export function writeEntries(
  entries: readonly RawTlv[],
  target: Uint8Array,
  at: number,
): void {
  for (const { type, value } of entries) {
    target[at] = type;
    target[at + 1] = value.length >> 8;
    target[at + 2] = value.length & 0xff;
    target.set(value, at + TLV_HEADER_LENGTH);
    at += TLV_HEADER_LENGTH + value.length;
  }
}

function isIterable(tlvs: Tlvs | Iterable<RawTlv>): tlvs is Iterable<RawTlv> {
  return Symbol.iterator in tlvs;
}

/** A TLV as it was read is checked like one that is to be read. */
function checkedEntry(tlv: RawTlv): RawTlv {
  const { type, value } = tlv ?? {};
  if (!Number.isInteger(type) || type < 0 || type > 0xff) {
    throw new RangeError(
      `Cannot encode tlvs: type must be 0 to 255, received ${quote(type)}`,
    );
  }
  return bytesEntry(tlvName(type), type, value);
}

/** The parts of SSL go into one TLV, at the place of the first of them. */
function entriesOfRecord(tlvs: Tlvs): RawTlv[] {
  const isSslGiven = tlvs.SSL_CLIENT !== undefined ||
    tlvs.SSL_VERIFY !== undefined;
  const writesSsl = tlvs.SSL ?? isSslGiven;
  if (typeof writesSsl !== "boolean") {
    throw new TypeError("Cannot encode tlvs.SSL: expected a boolean");
  }
  const entries: RawTlv[] = [];
  const subEntries: RawTlv[] = [];
  let sslIndex: number | undefined;
  for (const [name, value] of Object.entries(tlvs)) {
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
    // `x22` is a stray outside SSL, `x2F` a sub-TLV that has no name yet.
    const isInSsl = isSslSubtype(type) && name === tlvName(type);
    if (isInSsl && (writesSsl || tlvs.SSL === false)) {
      sslIndex ??= entries.length;
      subEntries.push(entry);
    } else {
      entries.push(entry);
    }
  }
  if (writesSsl) entries.splice(sslIndex ?? 0, 0, sslEntry(tlvs, subEntries));
  return entries;
}

function sslEntry(tlvs: Tlvs, subEntries: readonly RawTlv[]): RawTlv {
  const value = new Uint8Array(SSL_FIXED_LENGTH + entriesLength(subEntries));
  const { SSL_CLIENT = DEFAULT_SSL_CLIENT, SSL_VERIFY = DEFAULT_SSL_VERIFY } =
    tlvs;
  checkNumber("SSL_CLIENT", SSL_CLIENT, 0xff);
  checkNumber("SSL_VERIFY", SSL_VERIFY, 0xffffffff);
  const view = new DataView(value.buffer);
  view.setUint8(0, SSL_CLIENT);
  view.setUint32(1, SSL_VERIFY);
  writeEntries(subEntries, value, SSL_FIXED_LENGTH);
  return bytesEntry("SSL", TLV_TYPES.SSL, value);
}

/** A value of a record, by the kind of its type; `xNN` is always bytes. */
function namedEntry(
  name: string,
  type: number,
  value: Tlvs[keyof Tlvs],
): RawTlv {
  const kind = name === tlvName(type) ? tlvKind(type) : "bytes";
  if (kind === "text") {
    if (typeof value !== "string") {
      throw new TypeError(`Cannot encode tlvs.${name}: expected a string`);
    }
    if (value.length > LONGEST_TLV_VALUE) throw tooLong(name, value.length);
    const bytes = encodeText(value);
    if (bytes === undefined) {
      throw new TypeError(`Cannot encode tlvs.${name}: lone surrogate`);
    }
    return bytesEntry(name, type, bytes);
  }
  if (kind === "number") {
    const bytes = new Uint8Array(CHECKSUM_LENGTH);
    checkNumber(name, value, 0xffffffff);
    new DataView(bytes.buffer).setUint32(0, value);
    return bytesEntry(name, type, bytes);
  }
  return bytesEntry(name, type, value);
}

function bytesEntry(name: string, type: number, value: unknown): RawTlv {
  if (!(value instanceof Uint8Array)) {
    throw new TypeError(`Cannot encode tlvs.${name}: expected a Uint8Array`);
  }
  if (value.length > LONGEST_TLV_VALUE) throw tooLong(name, value.length);
  if (!fits(type, value.length)) {
    throw new RangeError(
      `Cannot encode tlvs.${name}: ${lengthFault(type, value.length)}`,
    );
  }
  if (type === TLV_TYPES.SSL) checkSubTlvs(name, value);
  return { type, value };
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
