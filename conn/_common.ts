/** What the entry points of single runtimes have in their signatures besides their own. */

export {
  type Address,
  type Command,
  type DecodedTlvs,
  type DecodeOptions,
  type Family,
  type ProxyInfo,
  ProxyProtocolError,
  type ProxyProtocolErrorCode,
  type ProxyProtocolErrorDetails,
  type TlvLocations,
  type Tlvs,
  type Transport,
} from "../codec/mod.ts";
export {
  type ClientHeader,
  headerOf,
  proxyHop,
  proxyInfo,
} from "./header_of.ts";
export { trustList } from "./admission/trust.ts";
export type {
  GateOptions,
  HeaderOptions,
  ListenerStats,
  Trust,
  Untrusted,
} from "./types.ts";
