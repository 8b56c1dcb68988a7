import type { Address } from "../../codec/mod.ts";
import { isMapped, parseIp, quote } from "../../codec/internal.ts";
import { unmapped, withoutZone } from "../_ends.ts";
import type { Trust } from "../types.ts";

/** Whether a peer is trusted. */
export type Trusts = (hop: Address) => boolean;

/** Octets whose first `prefix` bits count. */
interface Range {
  octets: Uint8Array;
  prefix: number;
}

const MAPPED_PREFIX = 96;

/**
 * Reads a trust list once.
 *
 * @throws {TypeError} for an entry that is no address, range or `"unix"`.
 */
export function readTrust(trust: Trust): Trusts {
  if (trust === "any") return () => true;
  if (trust === "none") return () => false;
  if (typeof trust === "function") {
    return (hop) => isKnown(hop) && trust(plainAddress(hop)) === true; // a promise is no answer
  }
  if (!Array.isArray(trust)) {
    throw new TypeError(
      'Cannot read trust: expected a list, a function, "any" or "none"',
    );
  }
  const entries: readonly unknown[] = trust;
  const trustsUnix = entries.includes("unix");
  const ranges = entries.flatMap((entry, i) =>
    entry === "unix" ? [] : [readRange(entry, i)]
  );
  // Proxies are few: the last answer is mostly the next, and saves over 1 us.
  let last: string | undefined;
  let isLastTrusted = false;
  return (hop) => {
    if ("path" in hop) return trustsUnix;
    if (hop.hostname === last) return isLastTrusted;
    const octets = readHost(hop.hostname);
    last = hop.hostname;
    isLastTrusted = octets !== undefined &&
      ranges.some((range) => contains(range, octets));
    return isLastTrusted;
  };
}

/** Whether a peer has an address at all: only `"any"` trusts one that has none. */
function isKnown(hop: Address): boolean {
  return "path" in hop || hop.hostname !== "";
}

/** The address as IPv4 if it is mapped, and without its zone id. */
function plainAddress(address: Address): Address {
  if ("path" in address) return address;
  const plain = unmapped(address);
  return plain === address
    ? { ...address, hostname: withoutZone(address.hostname) }
    : plain;
}

function readRange(entry: unknown, index: number): Range {
  const text = typeof entry === "string" && hasNoWrongZone(entry)
    ? withoutZone(entry)
    : "";
  const slash = text.indexOf("/");
  const octets = parseIp(slash < 0 ? text : text.slice(0, slash));
  const bits = octets === undefined ? 0 : 8 * octets.length;
  const suffix = slash < 0 ? `${bits}` : text.slice(slash + 1);
  const prefix = /^(0|[1-9]\d{0,2})$/.test(suffix) ? Number(suffix) : NaN;
  if (octets === undefined || !(prefix <= bits)) {
    throw new TypeError(
      `Cannot read trust[${index}]: expected an address, a range or "unix", received ${
        typeof entry === "string" ? quote(entry) : JSON.stringify(entry)
      }`,
    );
  }
  return octets.length === 16 && isMapped(octets, 0) && prefix >= MAPPED_PREFIX
    ? { octets: octets.subarray(12), prefix: prefix - MAPPED_PREFIX }
    : { octets, prefix };
}

/**
 * Whether an entry has no zone id, or one between its address and its prefix.
 * `10.0.0.0/1%6` must not trust half of all addresses.
 */
function hasNoWrongZone(entry: string): boolean {
  return !entry.includes("%") ||
    /^[^%/]+%[^%/]+(\/[^%/]+)?$/.test(entry);
}

/** Octets of a peer's address, 4 where it is mapped. */
function readHost(hostname: string): Uint8Array | undefined {
  const octets = parseIp(withoutZone(hostname));
  return octets?.length === 16 && isMapped(octets, 0)
    ? octets.subarray(12)
    : octets;
}

function contains({ octets, prefix }: Range, host: Uint8Array): boolean {
  if (octets.length !== host.length) return false;
  for (let i = 0; i * 8 < prefix; i++) {
    const bits = Math.min(8, prefix - i * 8);
    const difference = octets[i]! ^ host[i]!;
    if (difference >> (8 - bits) !== 0) return false;
  }
  return true;
}
