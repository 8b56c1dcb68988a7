import {
  checkNames,
  checkOneOf,
  isSslSubtype,
  quote,
  suggestion,
} from "../../codec/internal.ts";
import {
  type Address,
  encodeTlvs,
  type ProxyHeader,
  type ProxyInfo,
  ProxyProtocolError,
  type RawTlv,
  readTlvs,
  TLV_TYPES,
  tlvType,
} from "../../codec/mod.ts";
import type { Ends } from "../_ends.ts";
import { DISCARDED } from "../admission/discarded.ts";
import { checkTimeout } from "../_checks.ts";
import type { RelayOptions } from "./types.ts";

/** What a header to pass on is made from. */
export interface Origin extends Ends {
  info: ProxyInfo | undefined;
}

/** Names of {@link RelayOptions}. */
const RELAY_OPTIONS: readonly string[] = Object.keys(
  {
    send: "",
    keep: "",
    drop: "",
    add: "",
    uniqueId: "",
    checksum: "",
    halfOpenTimeout: "",
    signal: "",
  } satisfies Record<keyof RelayOptions, "">,
);

/**
 * Checks options before anything is read or written: their names, and all
 * values but those of `add`.
 *
 * @throws {TypeError} for an unknown name, or a value of the wrong kind.
 * @throws {RangeError} for a time out of its range.
 */
export function checkRelayOptions(options: RelayOptions): void {
  checkNames("options", options, RELAY_OPTIONS);
  const { send, keep, drop, uniqueId, checksum, halfOpenTimeout, signal } =
    options;
  if (send !== undefined) checkOneOf("send", send, [1, 2]);
  if (keep !== undefined) readTypes("keep", keep);
  if (drop !== undefined) readTypes("drop", drop);
  if (uniqueId !== undefined) checkOneOf("uniqueId", uniqueId, [true, false]);
  if (checksum !== undefined) checkOneOf("checksum", checksum, [true, false]);
  if (halfOpenTimeout !== undefined) {
    checkTimeout("halfOpenTimeout", halfOpenTimeout, 0);
  }
  if (signal !== undefined && typeof signal?.addEventListener !== "function") {
    throw new TypeError(
      `Cannot read signal: expected an AbortSignal, received ${quote(signal)}`,
    );
  }
}

/**
 * The header by which a connection is passed on: the client as this end sees
 * it, and the TLVs that came with it, in their order.
 *
 * @throws {TypeError} for a TLV in the options that cannot be written.
 * @throws {RangeError} for a value in the options out of its range.
 */
export function relayedHeader(
  { info, remoteAddr, localAddr }: Origin,
  options: RelayOptions,
): ProxyHeader {
  const { send = 2, add, uniqueId } = options;
  const keep = options.keep && readTypes("keep", options.keep);
  const drop = readTypes("drop", options.drop ?? []);
  const added: RawTlv[] = add === undefined
    ? []
    : [...readTlvs(encodeTlvs(add))];
  const isReplaced = (type: number) => added.some((tlv) => tlv.type === type);
  const tlvs = receivedTlvs(info).filter(({ type }) =>
    (keep?.has(type) ?? true) && !drop.has(type) && !isReplaced(type)
  ).concat(added);
  if (uniqueId) addUniqueId(tlvs);
  return tellsAddresses({ info, remoteAddr, localAddr })
    ? { version: send, source: remoteAddr, destination: localAddr, tlvs }
    : { version: send, command: "LOCAL", tlvs };
}

/**
 * Whether addresses are passed on, and not LOCAL. Without a header, or with one
 * that was discarded, these are the real addresses, if they are known.
 */
export function tellsAddresses(
  { info, remoteAddr, localAddr }: Origin,
): boolean {
  if (info?.command === "LOCAL") return false; // it claims nothing: it may be passed on
  if (info !== undefined && !DISCARDED.has(info)) {
    return info.source !== undefined;
  }
  return isKnown(remoteAddr) && isKnown(localAddr);
}

/** Whether it is an address of a network; that of a socket which was reset is empty. */
function isKnown(address: Address): boolean {
  return "hostname" in address && address.hostname !== "";
}

function readTypes(
  option: string,
  names: readonly string[],
): ReadonlySet<number> {
  if (!Array.isArray(names)) {
    throw new TypeError(
      `Cannot read ${option}: expected a list of TLV names, received ${
        quote(names)
      }`,
    );
  }
  return new Set(names.map((name) => {
    const type = tlvType(name);
    if (type === undefined) {
      throw new TypeError(
        `Cannot read ${option}: unknown TLV ${quote(name)}${
          suggestion(`${name}`, Object.keys(TLV_TYPES))
        }`,
      );
    }
    if (isSslSubtype(type)) {
      throw new TypeError(`Cannot read ${option}: ${name} goes with SSL`);
    }
    return type;
  }));
}

/** What can be written of what came; nothing of a header that was ignored. */
function receivedTlvs(info: ProxyInfo | undefined): RawTlv[] {
  if (info?.version !== 2 || info.rest.length === 0) return [];
  if (DISCARDED.has(info)) return [];
  const received: RawTlv[] = [];
  try {
    for (const tlv of readTlvs(info.rest)) {
      if (canBeWritten(tlv)) received.push(tlv);
    }
  } catch (error) {
    // Of TLVs that were accepted leniently, those before the broken one go on.
    if (!(error instanceof ProxyProtocolError)) throw error;
  }
  return received;
}

function canBeWritten(tlv: RawTlv): boolean {
  try {
    return encodeTlvs([tlv]).length > 0;
  } catch {
    return false;
  }
}

/** Section 2.2.5; an empty id, which haproxy sends, is none. */
function addUniqueId(tlvs: RawTlv[]): void {
  const type = TLV_TYPES.UNIQUE_ID;
  const has = tlvs.some((tlv) => tlv.type === type && tlv.value.length > 0);
  if (has) return;
  const value = new TextEncoder().encode(crypto.randomUUID());
  const empty = tlvs.findIndex((tlv) => tlv.type === type);
  tlvs.splice(empty < 0 ? tlvs.length : empty, empty < 0 ? 0 : 1, {
    type,
    value,
  });
}
