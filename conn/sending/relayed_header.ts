import {
  type Address,
  encodeTlvs,
  type ProxyHeader,
  type ProxyInfo,
  ProxyProtocolError,
  type RawTlv,
  readTlvs,
} from "../../codec/mod.ts";
import type { Ends } from "../_ends.ts";
import { DISCARDED } from "../admission/discarded.ts";
import { mergeTlvs } from "./merge_tlvs.ts";
import type { RelayPlan } from "./read_options.ts";

/** What a header to pass on is made from. */
export interface Origin extends Ends {
  info: ProxyInfo | undefined;
}

/**
 * The header by which a connection is passed on: the client as this end sees
 * it, and the TLVs that came with it, in their order.
 */
export function relayedHeader(
  { info, remoteAddr, localAddr }: Origin,
  plan: RelayPlan,
): ProxyHeader {
  const { send: version = 2, keep, drop } = plan;
  const passed = receivedTlvs(info).filter(({ type }) =>
    (keep?.has(type) ?? true) && !drop.has(type)
  );
  const tlvs = mergeTlvs(passed, plan);
  const header: ProxyHeader = { version };
  if (tlvs.length > 0) header.tlvs = tlvs;
  if (tellsAddresses({ info, remoteAddr, localAddr })) {
    header.source = remoteAddr;
    header.destination = localAddr;
  } else {
    header.command = "LOCAL";
  }
  return header;
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

/** What can be written of what came; nothing of a header that was ignored. */
function receivedTlvs(info: ProxyInfo | undefined): RawTlv[] {
  // Without TLVs not even the view is made in which they would be.
  if (info?.version !== 2 || info.tlv_start === info.raw.length) return [];
  if (DISCARDED.has(info)) return [];
  const received: RawTlv[] = [];
  try {
    for (const tlv of readTlvs(info.rest)) {
      if (canBeWritten(tlv)) received.push(tlv);
    }
  } catch (error) {
    // Of TLVs that were accepted leniently, those before the broken one are kept.
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
