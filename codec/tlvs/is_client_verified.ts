import type { ProxyInfo } from "../types.ts";
import { isClientEncrypted } from "./is_client_encrypted.ts";

/** A certificate on this connection or in this session (section 2.2.6). */
const CLIENT_CERT = 0x02 | 0x04;

/**
 * Returns whether the client used TLS with a certificate that the sender has
 * verified (section 2.2.6). It reads the client bits and `SSL_VERIFY` together,
 * because senders also write `SSL_VERIFY` 0 for a client without a certificate.
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
  const { SSL_CLIENT = 0, SSL_VERIFY } = tlvs;
  return isClientEncrypted({ tlvs }) && SSL_VERIFY === 0 &&
    (SSL_CLIENT & CLIENT_CERT) !== 0;
}
