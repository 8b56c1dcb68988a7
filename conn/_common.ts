/**
 * Exports that every entry point of one runtime shares: functions that are used
 * with a connection, so that one import is enough, and their types.
 */

export {
  type Address,
  alibabaEndpointId,
  alibabaServiceId,
  alibabaVpcId,
  awsVpcEndpointId,
  azurePrivateEndpointLinkId,
  type Command,
  type DecodedTlvs,
  type DecodeOptions,
  type DefinedTlvs,
  defineTlv,
  describe,
  encode,
  type EncodeOptions,
  type Family,
  formatAddress,
  forwarded,
  gcpPscConnectionId,
  type HexDigit,
  isClientVerified,
  type NetAddress,
  type ProxyHeader,
  type ProxyInfo,
  ProxyProtocolError,
  type ProxyProtocolErrorCode,
  type ProxyProtocolErrorDetails,
  type RawTlv,
  type TlvDefinition,
  type TlvHexName,
  type TlvLocations,
  type TlvReader,
  type Tlvs,
  type TlvSource,
  type Transport,
  type UnixAddress,
  ztunnelHostname,
  ztunnelIdentity,
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
