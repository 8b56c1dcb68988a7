/**
 * The PROXY protocol as pure functions over bytes: no I/O, any runtime, any
 * browser. Section numbers are those of the
 * [specification](https://www.haproxy.org/download/3.3/doc/proxy-protocol.txt),
 * edition of 2026/04/27.
 *
 * ```ts
 * import { decode, encode } from "@edgewire/proxy-protocol/codec";
 *
 * const header = encode({
 *   source: { transport: "tcp", hostname: "192.0.2.1", port: 56324 },
 *   destination: { transport: "tcp", hostname: "198.51.100.1", port: 443 },
 *   tlvs: { ALPN: "h2", AUTHORITY: "example.com" },
 * }, { checksum: true });
 *
 * const info = decode(header);
 * console.log(info?.source); // { transport: "tcp", hostname: "192.0.2.1", port: 56324 }
 * console.log(info?.tlvs.AUTHORITY); // example.com
 * ```
 *
 * For users of other packages, such as aiosmtpd, there is a [table of
 * names](https://github.com/edgewire/proxy-protocol/blob/main/codec/README.md).
 *
 * @module
 */

export * from "./bytes_needed.ts";
export { crc32c } from "./crc32c.ts";
export * from "./decode.ts";
export { describe } from "./describe.ts";
export * from "./tlvs/decode.ts";
export { defineTlv } from "./tlvs/define.ts";
export * from "./encode.ts";
export * from "./tlvs/encode.ts";
export * from "./error.ts";
export { formatAddress } from "./format_address.ts";
export { forwarded } from "./forwarded.ts";
export * from "./tlvs/is_client_verified.ts";
export { readTlvs } from "./tlvs/read.ts";
export * from "./simple_proxy.ts";
export { TLV_TYPES, type TlvName, tlvName, tlvType } from "./tlvs/types.ts";
export type * from "./types.ts";
export * from "./tlvs/vendors.ts";
