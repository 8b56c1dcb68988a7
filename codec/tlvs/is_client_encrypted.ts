import type { ProxyInfo } from "../types.ts";

/** `PP2_CLIENT_SSL` (section 2.2.6). */
const CLIENT_SSL = 0x01;

/** Returns whether the client reached the sender over TLS, as the SSL TLV says (section 2.2.6). */
export function isClientEncrypted({ tlvs }: Pick<ProxyInfo, "tlvs">): boolean {
  return tlvs.SSL === true && ((tlvs.SSL_CLIENT ?? 0) & CLIENT_SSL) !== 0;
}
