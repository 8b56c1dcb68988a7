import {
  formatIpv4,
  formatIpv6,
  isMapped,
  parseIp,
  quote,
  suggestion,
} from "../../codec/internal.ts";
import { withoutZone } from "../_ends.ts";

/** Octets whose first `prefix` bits count. */
export interface Range {
  readonly octets: Uint8Array;
  readonly prefix: number;
}

/** Names of ranges: RFC 1122 and 4291; RFC 1918, 4193, and of links 3927 and 4291. */
const NAMED: ReadonlyMap<unknown, readonly string[]> = new Map([
  ["loopback", ["127.0.0.0/8", "::1"]],
  ["private", [
    ...["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"],
    ...["169.254.0.0/16", "fe80::/10"],
  ]],
]);

/** Entries that are words. */
const WORDS: readonly string[] = ["loopback", "private", "unix"];

/** Words that are no entries: they stand for a whole list. */
const ALONE: readonly unknown[] = ["any", "none", "direct", "reject"];

/** Bits before the IPv4 address in an IPv6 address that holds one. */
const EMBEDDED_PREFIX = 96;

/** First octets of NAT64 addresses (RFC 6052): `64:ff9b::/96`. */
const NAT64 = [0x00, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0];

/** First octets of IPv4-compatible addresses (RFC 4291), `::192.0.2.1`. */
const COMPATIBLE: readonly number[] = NAT64.map(() => 0);

/**
 * Reads an entry of a list; `where` is its place in messages, such as `trust[0]`.
 *
 * @throws {TypeError} if it is no address, range or name of ranges, or if its
 * address has bits set after the prefix: then it is not the range that was meant.
 */
export function readRanges(where: string, entry: unknown): readonly Range[] {
  const named = NAMED.get(entry);
  if (named !== undefined) {
    return named.flatMap((range) => readRanges(where, range));
  }
  const range = parseRange(entry);
  const problem = range === undefined
    ? problemOf(entry)
    : misplacedPrefix(range, quote(entry)) ?? hostBits(range, quote(entry));
  if (range === undefined || problem !== undefined) {
    throw new TypeError(`Cannot read ${where}: ${problem}`);
  }
  return [isMapped16(range) ? embedded(range) : range];
}

/** Whether a range has an address; one of IPv4 never has an address of IPv6. */
export function contains({ octets, prefix }: Range, host: Uint8Array): boolean {
  if (octets.length !== host.length) return false;
  for (let i = 0; i * 8 < prefix; i++) {
    const bits = Math.min(8, prefix - i * 8);
    const difference = octets[i]! ^ host[i]!;
    if (difference >> (8 - bits) !== 0) return false;
  }
  return true;
}

/** Returns the octets of an address, 4 if it is mapped. */
export function octetsOf(hostname: string): Uint8Array | undefined {
  const octets = parseIp(withoutZone(hostname));
  return octets?.length === 16 && isMapped(octets, 0)
    ? octets.subarray(12)
    : octets;
}

/** Parses `address`, `address/prefix` and `address%zone/prefix`. */
function parseRange(entry: unknown): Range | undefined {
  if (typeof entry !== "string" || !hasNoWrongZone(entry)) return undefined;
  const text = withoutZone(entry);
  const slash = text.indexOf("/");
  const octets = parseIp(slash < 0 ? text : text.slice(0, slash));
  if (octets === undefined) return undefined;
  const bits = 8 * octets.length;
  const suffix = slash < 0 ? `${bits}` : text.slice(slash + 1);
  const prefix = /^(0|[1-9]\d{0,2})$/.test(suffix) ? Number(suffix) : NaN;
  return prefix <= bits ? { octets, prefix } : undefined;
}

/**
 * Whether an entry has no zone id, or one between its address and its prefix.
 * `10.0.0.0/1%6` must not trust half of all addresses.
 */
function hasNoWrongZone(entry: string): boolean {
  return !entry.includes("%") ||
    /^[^%/]+%[^%/]+(\/[^%/]+)?$/.test(entry);
}

function isMapped16({ octets }: Range): boolean {
  return octets.length === 16 && isMapped(octets, 0);
}

/** The range of IPv4 within one of IPv6. */
function embedded({ octets, prefix }: Range): Range {
  return { octets: octets.subarray(12), prefix: prefix - EMBEDDED_PREFIX };
}

/**
 * What is wrong with an IPv4 address in an IPv6 range whose prefix ends before
 * it. `::ffff:10.0.0.0/8` is `::/8`, which has `::1` and not `10.0.0.1`.
 */
function misplacedPrefix(range: Range, text: string): string | undefined {
  const { octets, prefix } = range;
  const isIpv4Mapped = isMapped16(range);
  if (prefix >= EMBEDDED_PREFIX) return undefined;
  if (!isIpv4Mapped && !holdsIpv4(octets)) return undefined;
  const starts = `the prefix of ${text} ends before its IPv4 address`;
  if (prefix > 32) {
    return isIpv4Mapped
      ? `${starts}, expected ${EMBEDDED_PREFIX} to 128`
      : undefined;
  }
  const meant = network({ octets: octets.subarray(12), prefix });
  if (isIpv4Mapped) return `${starts}, use ${show(meant)}`;
  const whole = Uint8Array.from(octets);
  whole.set(meant.octets, 12);
  const longer = { octets: whole, prefix: EMBEDDED_PREFIX + prefix };
  return `${starts}, use ${show(longer)}, or ${show(meant)} for IPv4 peers`;
}

/** Whether 16 octets begin like IPv4-compatible or NAT64 ones and hold an address. */
function holdsIpv4(octets: Uint8Array): boolean {
  if (octets.length !== 16 || octets[12] === 0) return false; // such as ::1
  return [COMPATIBLE, NAT64].some((start) =>
    start.every((octet, i) => octet === octets[i])
  );
}

/** What is wrong with an address that has bits set after its prefix. */
function hostBits(range: Range, text: string): string | undefined {
  const { octets } = range;
  const meant = network(range);
  if (meant.octets.every((octet, i) => octet === octets[i])) return undefined;
  const whole = isMapped16(range) ? embedded(meant) : meant;
  return `${text} has bits set after its prefix, use ${
    show(whole)
  } for the network or "${showAddress(octets)}" for the address`;
}

/** The range with no bit set after its prefix. */
function network({ octets, prefix }: Range): Range {
  const masked = octets.map((octet, i) => {
    const bits = Math.max(0, Math.min(8, prefix - 8 * i));
    return octet & (0xff00 >> bits);
  });
  return { octets: masked, prefix };
}

/** A range as an entry of a list. */
function show({ octets, prefix }: Range): string {
  return `"${showAddress(octets)}/${prefix}"`;
}

function showAddress(octets: Uint8Array): string {
  if (octets.length === 4) return formatIpv4(octets, 0);
  const bytes = Uint8Array.from(octets);
  return formatIpv6({ bytes, view: new DataView(bytes.buffer) }, 0, true);
}

/** What is wrong with an entry that is neither a name nor a range. */
function problemOf(entry: unknown): string {
  if (typeof entry !== "string") {
    return `${EXPECTED}, received ${JSON.stringify(entry)}`;
  }
  const received = quote(entry);
  if (ALONE.includes(entry)) {
    return `${received} cannot stand in a list, give it alone`;
  }
  const meant = suggestion(entry, WORDS);
  if (meant !== "") return `${EXPECTED}, received ${received}${meant}`;
  if (!HOST_REGEXP.test(entry)) return `${EXPECTED}, received ${received}`;
  return entry.toLowerCase() === "localhost"
    ? `host names are not supported, use ["127.0.0.1", "::1"] for ${received}`
    : `host names are not supported, use the addresses of ${received}`;
}

const EXPECTED =
  'expected an address, a range, "loopback", "private" or "unix"';

/** Names of hosts that do not look like addresses. */
const HOST_REGEXP = /^[a-z][a-z0-9-]*(\.[a-z0-9-]+)*\.?$/i;
