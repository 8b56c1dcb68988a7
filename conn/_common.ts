/** What the entry points of single runtimes have in their signatures besides their own. */

export {
  type Address,
  type Command,
  type DecodedTlvs,
  type DecodeOptions,
  describe,
  type Family,
  formatAddress,
  type HexDigit,
  type NetAddress,
  type ProxyInfo,
  ProxyProtocolError,
  type ProxyProtocolErrorCode,
  type ProxyProtocolErrorDetails,
  type TlvHexName,
  type TlvLocations,
  type Tlvs,
  type Transport,
  type UnixAddress,
} from "../codec/mod.ts";
export { trustList } from "./admission/trust.ts";
export type {
  GateOptions,
  HeaderOptions,
  ListenerStats,
  Trust,
  Untrusted,
} from "./types.ts";
