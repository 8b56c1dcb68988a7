/**
 * What headers say, by hand.
 *
 * @module
 */

import type {
  Address,
  DecodeOptions,
  NetAddress,
  ProxyInfo,
  Tlvs,
  UnixAddress,
} from "../../codec/mod.ts";

/** What a header says, without the views of its bytes. */
export type Facts = Omit<ProxyInfo, "raw" | "rest" | "tlv_loc">;

/** A header that is accepted. */
export interface Vector {
  /** What it is, as a noun. */
  name: string;
  /** Where the bytes or the rule come from. */
  source: string;
  bytes: Uint8Array;
  /** Options it takes to be accepted. */
  options?: DecodeOptions;
  expected: Facts;
  /** What it is encoded to, where a sender of its own would write other bytes. */
  canonical?: Uint8Array;
  /** What followed it on the wire, where that was seen. */
  payload?: Uint8Array;
}

/** A TCP or UDP end. */
export function net(
  hostname: string,
  port: number,
  transport: "tcp" | "udp" = "tcp",
): NetAddress {
  return { transport, hostname, port };
}

/** A UNIX end. */
export function unix(
  path: string,
  transport: "unix" | "unixpacket" = "unix",
): UnixAddress {
  return { transport, path };
}

/** What a v1 TCP4 or TCP6 line says. */
export function tcpLine(
  family: "INET" | "INET6",
  source: Address,
  destination: Address,
): Facts {
  return {
    version: 1,
    command: "PROXY",
    family,
    transport: "STREAM",
    source,
    destination,
    tlvs: {},
  };
}

/** What v1 UNKNOWN says. */
export const UNKNOWN: Facts = {
  version: 1,
  command: "PROXY",
  family: "UNSPEC",
  transport: "UNSPEC",
  tlvs: {},
};

/** What v2 LOCAL says. */
export function local(tlvs: Tlvs = {}, tlv_start = 16): Facts {
  return {
    version: 2,
    command: "LOCAL",
    family: "UNSPEC",
    transport: "UNSPEC",
    tlvs,
    tlv_start,
  };
}

/** What {@link BLOCK4} says. */
export function inet(tlvs: Tlvs = {}): Facts {
  return {
    version: 2,
    command: "PROXY",
    family: "INET",
    transport: "STREAM",
    source: net("192.0.2.1", 56324),
    destination: net("198.51.100.1", 443),
    tlvs,
    tlv_start: 28,
  };
}

/** What {@link BLOCK6} says. */
export function inet6(tlvs: Tlvs = {}): Facts {
  return {
    ...inet(tlvs),
    family: "INET6",
    source: net("2001:db8::1", 56324),
    destination: net("2001:db8::2", 443),
    tlv_start: 52,
  };
}

/** What {@link BLOCK_UNIX} says. */
export function unixInfo(source = "/run/a", destination = "/run/b"): Facts {
  return {
    version: 2,
    command: "PROXY",
    family: "UNIX",
    transport: "STREAM",
    source: unix(source),
    destination: unix(destination),
    tlvs: {},
    tlv_start: 232,
  };
}
