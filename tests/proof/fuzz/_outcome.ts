/**
 * What must hold for the codec whatever the bytes are. The checks throw: they
 * are run millions of times, so they compare by hand.
 *
 * @module
 */

import { equals } from "@std/bytes";
import {
  type Address,
  bytesNeeded,
  decode,
  decodeDatagram,
  type DecodeOptions,
  decodeTlvs,
  encode,
  encodeTlvs,
  type ProxyInfo,
  ProxyProtocolError,
  readTlvs,
  type Tlvs,
} from "../../../mod.ts";
import { expect, type Expected } from "./_oracle.ts";

/** What `decode()` makes of bytes. */
export type Outcome = ProxyInfo | ProxyProtocolError | undefined;

/** Bytes, and how they come. */
export interface Input {
  bytes: Uint8Array;
  options: DecodeOptions;
  /** Lengths, rising, at which a reader looks. */
  cuts: readonly number[];
  /** What follows the bytes. */
  more: Uint8Array;
  /** Whether to run all checks for a refused one too: an error takes microseconds. */
  isThorough: boolean;
}

/** Any other error goes through. */
export function outcomeOf(bytes: Uint8Array, options: DecodeOptions): Outcome {
  return refusalOr(() => decode(bytes, options));
}

/** The result, or the one error there may be. */
function refusalOr<T>(run: () => T): T | ProxyProtocolError {
  try {
    return run();
  } catch (error) {
    if (error instanceof ProxyProtocolError) return error;
    throw error;
  }
}

function ensure(holds: boolean, what: string): asserts holds {
  if (!holds) throw new Error(what);
}

/**
 * Checks all of it for one input. Returns the outcome, for those who count.
 */
export function checkInput(
  { bytes, options, cuts, more, isThorough }: Input,
): Outcome {
  const outcome = outcomeOf(bytes, options);
  const expected = expect(bytes, options);
  if (isInfo(outcome)) {
    ensure(expected !== undefined, "accepted against the specification");
    checkFacts(outcome, expected);
    checkAccepted(bytes, options, outcome, expected.isCanonical);
  } else {
    ensure(expected === undefined, "not accepted against the specification");
  }
  for (const cut of cuts) checkPrefix(bytes, cut, options, outcome);
  if (isThorough || !(outcome instanceof ProxyProtocolError)) {
    checkNeeded(bytes, options, outcome);
    checkDatagram(bytes, options, outcome);
    checkMore(bytes, more, options, outcome);
    checkExactReads(bytes, options, outcome);
    checkTlvReaders(isInfo(outcome) ? outcome.rest : bytes);
  }
  return outcome;
}

function isInfo(outcome: Outcome): outcome is ProxyInfo {
  return outcome !== undefined && !(outcome instanceof ProxyProtocolError);
}

/** Which of several faults is named depends on how much is in. */
function kindOf(outcome: Outcome): string {
  if (outcome === undefined) return "incomplete";
  return isInfo(outcome)
    ? `accepted ${outcome.raw.byteLength} bytes`
    : "refused";
}

/** Whether both outcomes are the same for who reads the connection. */
function ensureSame(actual: Outcome, expected: Outcome, how: string): void {
  const [one, other] = [kindOf(actual), kindOf(expected)];
  ensure(one === other, `${how}: ${one}, but ${other}`);
}

/** `bytesNeeded()` must agree with `decode()`. */
function checkNeeded(
  bytes: Uint8Array,
  options: DecodeOptions,
  outcome: Outcome,
): void {
  const needed = refusalOr(() => bytesNeeded(bytes, options));
  if (needed instanceof ProxyProtocolError) {
    ensure(
      outcome instanceof ProxyProtocolError &&
        outcome.message === needed.message,
      "bytesNeeded() refuses otherwise than decode()",
    );
  } else {
    ensure(
      outcome === undefined
        ? Number.isInteger(needed) && needed > 0
        : isInfo(outcome) && needed === 0,
      `bytesNeeded() is ${needed}`,
    );
  }
}

/** A datagram that ends within its header is refused, all else is the same. */
function checkDatagram(
  bytes: Uint8Array,
  options: DecodeOptions,
  outcome: Outcome,
): void {
  const datagram = refusalOr(() => decodeDatagram(bytes, options));
  if (datagram instanceof ProxyProtocolError) {
    const code = outcome instanceof ProxyProtocolError
      ? outcome.code
      : bytes.length === 0
      ? "empty"
      : "incomplete";
    ensure(
      !isInfo(outcome) && datagram.code === code,
      `decodeDatagram() refuses as ${datagram.code}`,
    );
  } else {
    ensure(
      isInfo(outcome) && kindOf(datagram.info) === kindOf(outcome) &&
        datagram.payload.length + outcome.raw.length === bytes.length,
      "decodeDatagram() accepts otherwise than decode()",
    );
  }
}

/** An address as the oracle writes it. */
function textOf(address: Address | undefined): string | undefined {
  if (address === undefined) return undefined;
  return "hostname" in address
    ? `${address.hostname} ${address.port}`
    : textBytes(address.path).toHex();
}

/** The bytes of a text, which need not have been UTF-8. */
export function textBytes(text: string): Uint8Array {
  return encodeTlvs({ NETNS: text }).subarray(3);
}

function checkFacts(info: ProxyInfo, expected: Expected): void {
  const isSame = info.raw.length === expected.length &&
    info.version === expected.version && info.command === expected.command &&
    info.family === expected.family && info.transport === expected.transport &&
    textOf(info.source) === expected.source &&
    textOf(info.destination) === expected.destination;
  if (!isSame) {
    throw new Error(`decoded, but not as ${JSON.stringify(expected)}`);
  }
  const { command, family, transport, source, destination } = info;
  const hasAddresses = command === "PROXY" && family !== "UNSPEC" &&
    transport !== "UNSPEC";
  ensure(
    (source !== undefined) === hasAddresses &&
      (destination !== undefined) === hasAddresses,
    "addresses without a family, or a family without addresses",
  );
}

/** An accepted header is of its own bytes, encodable, and stable from there. */
function checkAccepted(
  bytes: Uint8Array,
  options: DecodeOptions,
  info: ProxyInfo,
  isCanonical: boolean,
): void {
  const { raw, rest, tlvs, tlv_loc, tlv_start = 0 } = info;
  ensure(raw.byteOffset === bytes.byteOffset, "raw is a copy");
  for (const [name, value] of Object.entries(tlvs)) {
    const at = raw.byteOffset + tlv_start + (tlv_loc[name] ?? NaN);
    const isThere = !(value instanceof Uint8Array) || value.length === 0 ||
      value.byteOffset === at + 3;
    ensure(isThere, `tlv_loc.${name} is off`);
  }
  ensure(
    info.version === 1 || tlv_start + rest.length === raw.length,
    "rest is not what is behind tlv_start",
  );
  if (bytes.length > raw.length) {
    ensureSame(outcomeOf(raw, options), info, "raw alone");
  }
  const once = encode(info);
  if (isCanonical) ensure(equals(once, raw), "encode() changes a header");
  const again = decode(once, { ...options, maxLength: once.length });
  ensure(again !== undefined, "encode() wrote less than a header");
  ensure(equals(encode(again), once), "encode() is not stable");
  checkFacts(again, {
    length: once.length,
    version: info.version,
    command: info.command,
    family: info.family,
    transport: info.transport,
    ...endsOf(info, options),
    isCanonical,
  });
  ensure(hasSameTlvs(info, again.tlvs), "encode() changes TLVs");
}

/** The ends as a line of ours says them: a plain IPv4 address in TCP6 is mapped. */
function endsOf(
  { version, family, source, destination }: ProxyInfo,
  { unmap }: DecodeOptions,
): Pick<Expected, "source" | "destination"> {
  // Only `unmap` says that an address is to be shown bare.
  const isMapped = version === 1 && family === "INET6" && unmap !== true;
  const [from, to] = [source, destination].map((end) => {
    const text = textOf(end);
    return isMapped && !text?.includes(":") ? `::ffff:${text}` : text;
  });
  return from === undefined || to === undefined
    ? {}
    : { source: from, destination: to };
}

/**
 * A checksum is computed anew. Of an SSL that could not be read nothing is
 * written, nor of what stands in it, nor of the sub-TLVs that stand outside.
 */
function hasSameTlvs(
  { tlvs: before, tlv_loc, rest }: ProxyInfo,
  after: Tlvs,
): boolean {
  const ssl = tlv_loc.SSL ?? NaN;
  const [high = 0, low = 0] = rest.subarray(ssl + 1);
  const isInside = (name: string) => {
    const at = tlv_loc[name] ?? NaN;
    return at > ssl && at < ssl + 3 + high * 256 + low;
  };
  const isFree = (name: string) =>
    name === "CRC32C" ||
    before.SSL === false && (/^SSL|^x2/.test(name) || isInside(name));
  const other = new Map(Object.entries(after));
  for (const [name, value] of Object.entries(before)) {
    const found = other.get(name);
    const isSame = value instanceof Uint8Array
      ? found instanceof Uint8Array && equals(value, found)
      : value === found;
    if (!isSame && !isFree(name)) return false;
  }
  return Object.keys(after).every((name) => Object.hasOwn(before, name));
}

/** Less than all of it is the same or still open; what is needed is missing. */
function checkPrefix(
  bytes: Uint8Array,
  length: number,
  options: DecodeOptions,
  outcome: Outcome,
): void {
  const prefix = bytes.subarray(0, length);
  const early = outcomeOf(prefix, options);
  if (early !== undefined) {
    ensureSame(early, outcome, `cut at ${length}`);
  } else if (isInfo(outcome)) {
    const needed = bytesNeeded(prefix, options);
    const missing = outcome.raw.length - length;
    ensure(
      needed > 0 && needed <= missing,
      `cut at ${length} it needs ${needed} of ${missing} missing bytes`,
    );
  } else if (outcome === undefined) {
    const least = length + bytesNeeded(prefix, options);
    ensure(
      least <= bytes.length + bytesNeeded(bytes, options),
      `cut at ${length} it needs more than later`,
    );
  }
}

/** What is decided stays decided whatever follows. */
function checkMore(
  bytes: Uint8Array,
  more: Uint8Array,
  options: DecodeOptions,
  outcome: Outcome,
): void {
  if (outcome === undefined || more.length === 0) return;
  const longer = new Uint8Array(bytes.length + more.length);
  longer.set(bytes);
  longer.set(more, bytes.length);
  ensureSame(outcomeOf(longer, options), outcome, "with more behind");
}

/** A reader that takes no more than it needs comes to the same. */
function checkExactReads(
  bytes: Uint8Array,
  options: DecodeOptions,
  outcome: Outcome,
): void {
  const exact = outcomeOfExactReads(bytes, options);
  // It waits for bytes that an incomplete refused header lacks.
  const isWaiting = exact === undefined &&
    outcome instanceof ProxyProtocolError;
  if (!isWaiting) ensureSame(exact, outcome, "exact reads");
}

/** The outcome of a reader that takes what `bytesNeeded()` says, no more. */
function outcomeOfExactReads(
  bytes: Uint8Array,
  options: DecodeOptions,
): Outcome {
  let at = 0;
  for (;;) {
    const got = bytes.subarray(0, at);
    const needed = refusalOr(() => bytesNeeded(got, options));
    if (needed instanceof ProxyProtocolError) return needed;
    if (needed === 0) {
      const outcome = outcomeOf(got, options);
      const isExact = isInfo(outcome) && outcome.raw.length === at;
      ensure(isExact, "took bytes of the payload");
      return outcome;
    }
    at += needed;
    if (at > bytes.length) return undefined;
  }
}

/** TLVs on their own, read in each way. */
function checkTlvReaders(bytes: Uint8Array): void {
  decodeTlvs(bytes, { partial: true });
  const whole = refusalOr(() => decodeTlvs(bytes));
  const list = refusalOr(() => Array.from(readTlvs(bytes)));
  if (whole instanceof ProxyProtocolError) {
    ensure(whole.code === "tlv", `decodeTlvs() refuses as ${whole.code}`);
  } else {
    ensure(
      Array.isArray(list) && equals(encodeTlvs(list), bytes),
      "encodeTlvs() changes TLVs",
    );
  }
  if (list instanceof ProxyProtocolError) {
    ensure(list.code === "tlv", `readTlvs() refuses as ${list.code}`);
  }
}
