/** Headers that scenarios send, by hand, and what is seen behind them. */

import {
  ascii,
  BLOCK4,
  BLOCK6,
  BLOCK_UNIX,
  textHex,
  tlv,
  v2,
} from "../codec/_hex.ts";
import {
  type Facts,
  inet,
  inet6,
  local,
  net,
  tcpLine,
  unixInfo,
  UNKNOWN,
} from "../codec/_facts.ts";

/** A header, and what it says. */
export interface Sent {
  bytes: Uint8Array;
  facts: Facts;
}

/** A line of v1. */
export const V1: Sent = {
  bytes: ascii("PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\r\n"),
  facts: tcpLine(
    "INET",
    net("192.0.2.1", 56324),
    net("198.51.100.1", 443),
  ),
};

/** A header of v2. */
export const V2: Sent = { bytes: v2("2111", BLOCK4), facts: inet() };

/** Names of headers of all kinds. */
export const HEADERS: Readonly<Record<string, Sent>> = {
  "a v1 header": V1,
  "a v2 header": V2,
  "a v2 header of IPv6": { bytes: v2("2121", BLOCK6), facts: inet6() },
  "a header with TLVs": {
    bytes: v2(
      "2111",
      BLOCK4 + tlv("02", textHex("example.com")) + tlv("05", "0102"),
    ),
    facts: inet({
      AUTHORITY: "example.com",
      UNIQUE_ID: Uint8Array.of(1, 2),
    }),
  },
  "a header of UNIX addresses": {
    bytes: v2("2131", BLOCK_UNIX),
    facts: unixInfo(),
  },
  "LOCAL": { bytes: v2("2000"), facts: local() },
  "UNKNOWN": { bytes: ascii("PROXY UNKNOWN\r\n"), facts: UNKNOWN },
  "PROXY and UNSPEC": {
    bytes: v2("2100"),
    facts: { ...local(), command: "PROXY" },
  },
};
