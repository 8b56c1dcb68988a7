import type { ProxyInfo } from "../types.ts";

/** `PP2_CLIENT_SSL`, and a certificate on this connection or in this session (section 2.2.6). */
const CLIENT_SSL = 0x01;
const CLIENT_CERT = 0x02 | 0x04;

/**
 * Tells whether the client came over TLS with a certificate that the sender
 * has verified: the client bits and `SSL_VERIFY` together, since senders write
 * `SSL_VERIFY` 0 for a client without a certificate too (section 2.2.6).
 *
 * @example
 * ```ts
 * import { isClientVerified } from "@edgewire/proxy-protocol/codec";
 *
 * const tlvs = { SSL: true, SSL_VERIFY: 0 };
 * console.log(isClientVerified({ tlvs: { ...tlvs, SSL_CLIENT: 0x01 } })); // false
 * console.log(isClientVerified({ tlvs: { ...tlvs, SSL_CLIENT: 0x03 } })); // true
 * ```
 */
export function isClientVerified({ tlvs }: Pick<ProxyInfo, "tlvs">): boolean {
  const bits = tlvs.SSL_CLIENT ?? 0;
  return tlvs.SSL === true && tlvs.SSL_VERIFY === 0 &&
    (bits & CLIENT_SSL) !== 0 && (bits & CLIENT_CERT) !== 0;
}
