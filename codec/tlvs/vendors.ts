import { viewOf } from "../_block.ts";
import { decodeText } from "../_text.ts";
import { ProxyProtocolError } from "../error.ts";
import { readTlvs } from "./read.ts";
import type { ProxyInfo } from "../types.ts";

/** Types that providers took from the range for applications (section 2.2.8). */
const AWS = 0xea;
const AZURE = 0xee;
const GCP = 0xe0;

/** First byte of the value, where a provider has several kinds of value in one type. */
const AWS_VPC_ENDPOINT_ID = 0x01;
const AZURE_PRIVATE_ENDPOINT_LINK_ID = 0x01;

/**
 * Reads the id of the VPC endpoint that the client came through, as an AWS
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
export function awsVpcEndpointId(
  info: Pick<ProxyInfo, "version" | "rest">,
): string | undefined {
  const value = findValue(
    info,
    AWS,
    (v) => v[0] === AWS_VPC_ENDPOINT_ID && v.length > 1,
  );
  return value && decodeText(value, 1, value.length);
}

/**
 * Reads the LINKID of the private endpoint that the client came through, as
 * Azure Private Link sends it (type 0xEE, first byte 0x01, 32 bits with the
 * low byte first).
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
export function azurePrivateEndpointLinkId(
  info: Pick<ProxyInfo, "version" | "rest">,
): number | undefined {
  const value = findValue(
    info,
    AZURE,
    (v) => v[0] === AZURE_PRIVATE_ENDPOINT_LINK_ID && v.length === 5,
  );
  return value && viewOf(value).getUint32(1, true);
}

/**
 * Reads the id of the Private Service Connect connection that the client came
 * through, as Google Cloud sends it (type 0xE0, 64 bits).
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
export function gcpPscConnectionId(
  info: Pick<ProxyInfo, "version" | "rest">,
): bigint | undefined {
  const value = findValue(info, GCP, (v) => v.length === 8);
  return value && viewOf(value).getBigUint64(0);
}

/** The last value of a type that passes; there may be others under the same type. */
function findValue(
  info: Pick<ProxyInfo, "version" | "rest">,
  type: number,
  passes: (value: Uint8Array) => boolean,
): Uint8Array | undefined {
  if (info.version === 1) return undefined;
  let found: Uint8Array | undefined;
  try {
    for (const tlv of readTlvs(info.rest)) {
      if (tlv.type === type && passes(tlv.value)) found = tlv.value;
    }
  } catch (error) {
    // Of TLVs that were accepted leniently, those before the broken one count.
    if (!(error instanceof ProxyProtocolError)) throw error;
  }
  return found;
}
