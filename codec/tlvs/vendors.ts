/** TLVs of vendors, in the range for applications and outside of it (section 2.2.8). */

import { viewOf } from "../_block.ts";
import { decodeText } from "../_text.ts";
import type { TlvReader } from "../types.ts";
import { defineTlv } from "./define.ts";

/** An id of a cloud: letters, digits, `_` and `-`. */
const ID_REGEXP = /^[\w-]+$/;

/** A SPIFFE id: a trust domain, and a path that names a workload. */
const SPIFFE_REGEXP = /^spiffe:\/\/[a-z\d._-]+\/[\w./-]+$/;

/** A host name, as one has it in a certificate or a service. */
const HOSTNAME_REGEXP = /^(?=.{1,253}$)[a-z\d*_-]+(?:\.[a-z\d_-]+)*\.?$/i;

/** Text that matches, from a byte on. */
function textFrom(
  value: Uint8Array,
  start: number,
  pattern: RegExp,
): string | undefined {
  const text = decodeText(value, start, value.length);
  return pattern.test(text) ? text : undefined;
}

/** An id behind the byte that says of what; vendors have several kinds of value in one type. */
function idOf(kind: number): (value: Uint8Array) => string | undefined {
  return (value) =>
    value[0] === kind ? textFrom(value, 1, ID_REGEXP) : undefined;
}

/**
 * Reads the id of the VPC endpoint that the client connected through, as an AWS
 * Network Load Balancer sends it (type 0xEA, first byte 0x01).
 *
 * @example
 * ```ts
 * import { awsVpcEndpointId, encodeTlvs } from "@edgewire/proxy-protocol/codec";
 *
 * const value = new TextEncoder().encode("\x01vpce-08d2bf15fac5001c9");
 * const info = { version: 2, rest: encodeTlvs({ xEA: value }) } as const;
 * console.log(awsVpcEndpointId(info)); // vpce-08d2bf15fac5001c9
 * ```
 */
export const awsVpcEndpointId: TlvReader<"AWS_VPC_ENDPOINT_ID", string> =
  defineTlv({ type: 0xea, name: "AWS_VPC_ENDPOINT_ID", read: idOf(0x01) });

/**
 * Reads the LINKID of the private endpoint that the client connected through,
 * as Azure Private Link sends it (type 0xEE, first byte 0x01, 32 bits,
 * little-endian).
 *
 * @example
 * ```ts
 * import { azurePrivateEndpointLinkId, encodeTlvs } from "@edgewire/proxy-protocol/codec";
 *
 * const value = Uint8Array.of(0x01, 0x02, 0x01, 0x00, 0x00);
 * const info = { version: 2, rest: encodeTlvs({ xEE: value }) } as const;
 * console.log(azurePrivateEndpointLinkId(info)); // 258
 * ```
 */
export const azurePrivateEndpointLinkId: TlvReader<
  "AZURE_PRIVATE_ENDPOINT_LINK_ID",
  number
> = defineTlv({
  type: 0xee,
  name: "AZURE_PRIVATE_ENDPOINT_LINK_ID",
  read: (value) =>
    value[0] === 0x01 && value.length === 5
      ? viewOf(value).getUint32(1, true)
      : undefined,
});

/**
 * Reads the id of the Private Service Connect connection that the client used,
 * as Google Cloud sends it (type 0xE0, 64 bits).
 *
 * @example
 * ```ts
 * import { encodeTlvs, gcpPscConnectionId } from "@edgewire/proxy-protocol/codec";
 *
 * const value = Uint8Array.of(0, 0, 0, 0, 0, 0, 1, 2);
 * const info = { version: 2, rest: encodeTlvs({ xE0: value }) } as const;
 * console.log(gcpPscConnectionId(info)); // 258n
 * ```
 */
export const gcpPscConnectionId: TlvReader<"GCP_PSC_CONNECTION_ID", bigint> =
  defineTlv({
    type: 0xe0,
    name: "GCP_PSC_CONNECTION_ID",
    read: (value) =>
      value.length === 8 ? viewOf(value).getBigUint64(0) : undefined,
  });

/**
 * Reads the id of the VPC of the client, as an Alibaba Cloud Network Load
 * Balancer sends it for PrivateLink (type 0xE1, first byte 0x01).
 *
 * @example
 * ```ts
 * import { alibabaVpcId, encodeTlvs } from "@edgewire/proxy-protocol/codec";
 *
 * const value = new TextEncoder().encode("\x01vpc-bp1aevy8sofi8mh1q0a2b");
 * const info = { version: 2, rest: encodeTlvs({ xE1: value }) } as const;
 * console.log(alibabaVpcId(info)); // vpc-bp1aevy8sofi8mh1q0a2b
 * ```
 */
export const alibabaVpcId: TlvReader<"ALIBABA_VPC_ID", string> = defineTlv({
  type: 0xe1,
  name: "ALIBABA_VPC_ID",
  read: idOf(0x01),
});

/**
 * Reads the id of the PrivateLink endpoint that the client connected through, as
 * an Alibaba Cloud Network Load Balancer sends it (type 0xE1, first byte 0x02).
 *
 * @example
 * ```ts
 * import { alibabaEndpointId, encodeTlvs } from "@edgewire/proxy-protocol/codec";
 *
 * const value = new TextEncoder().encode("\x02ep-bp1i3a6f0d4e5c2b1a09");
 * const info = { version: 2, rest: encodeTlvs({ xE1: value }) } as const;
 * console.log(alibabaEndpointId(info)); // ep-bp1i3a6f0d4e5c2b1a09
 * ```
 */
export const alibabaEndpointId: TlvReader<"ALIBABA_ENDPOINT_ID", string> =
  defineTlv({ type: 0xe1, name: "ALIBABA_ENDPOINT_ID", read: idOf(0x02) });

/**
 * Reads the id of the PrivateLink endpoint service that the client connected to,
 * as an Alibaba Cloud Network Load Balancer sends it (type 0xE1, first byte 0x03).
 *
 * @example
 * ```ts
 * import { alibabaServiceId, encodeTlvs } from "@edgewire/proxy-protocol/codec";
 *
 * const value = new TextEncoder().encode("\x03epsrv-bp1i3a6f0d4e5c2b1a09");
 * const info = { version: 2, rest: encodeTlvs({ xE1: value }) } as const;
 * console.log(alibabaServiceId(info)); // epsrv-bp1i3a6f0d4e5c2b1a09
 * ```
 */
export const alibabaServiceId: TlvReader<"ALIBABA_SERVICE_ID", string> =
  defineTlv({ type: 0xe1, name: "ALIBABA_SERVICE_ID", read: idOf(0x03) });

/**
 * Reads the identity of the client's workload, which the ztunnel of Istio's
 * ambient mesh has verified: a SPIFFE id (type 0xD0). Trust the identity only
 * from the ztunnel of your own node, by listing only that ztunnel in `trust`.
 *
 * @example
 * ```ts
 * import { encodeTlvs, ztunnelIdentity } from "@edgewire/proxy-protocol/codec";
 *
 * const id = "spiffe://cluster.local/ns/shop/sa/web";
 * const value = new TextEncoder().encode(id);
 * const info = { version: 2, rest: encodeTlvs({ xD0: value }) } as const;
 * console.log(ztunnelIdentity(info)); // spiffe://cluster.local/ns/shop/sa/web
 * ```
 */
export const ztunnelIdentity: TlvReader<"ZTUNNEL_IDENTITY", string> = defineTlv(
  {
    type: 0xd0,
    name: "ZTUNNEL_IDENTITY",
    read: (value) => textFrom(value, 0, SPIFFE_REGEXP),
  },
);

/**
 * Reads the host name that the client connected to, as the ztunnel of Istio's
 * ambient mesh sends it (type 0xD1).
 *
 * @example
 * ```ts
 * import { encodeTlvs, ztunnelHostname } from "@edgewire/proxy-protocol/codec";
 *
 * const value = new TextEncoder().encode("web.shop.svc.cluster.local");
 * const info = { version: 2, rest: encodeTlvs({ xD1: value }) } as const;
 * console.log(ztunnelHostname(info)); // web.shop.svc.cluster.local
 * ```
 */
export const ztunnelHostname: TlvReader<"ZTUNNEL_HOSTNAME", string> = defineTlv(
  {
    type: 0xd1,
    name: "ZTUNNEL_HOSTNAME",
    read: (value) => textFrom(value, 0, HOSTNAME_REGEXP),
  },
);
