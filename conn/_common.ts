/**
 * Exports that every entry point of one runtime shares: functions that are used
 * with a connection, so that one import is enough, and their types.
 */

export {
  type Address,
  awsVpcEndpointId,
  azurePrivateEndpointLinkId,
  type Command,
  type DecodedTlvs,
  type DecodeOptions,
  encode,
  type EncodeOptions,
  type Family,
  gcpPscConnectionId,
  isClientVerified,
  type ProxyHeader,
  type ProxyInfo,
  ProxyProtocolError,
  type ProxyProtocolErrorCode,
  type ProxyProtocolErrorDetails,
  type RawTlv,
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
  AcceptOptions,
  ListenerOptions,
  ListenerStats,
  Trust,
  Untrusted,
} from "./types.ts";
export { type HeaderTarget, writeHeader } from "./write_header.ts";
