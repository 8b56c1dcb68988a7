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
 * Coming from aiosmtpd, whose `ProxyData` and `ProxyTLV` are plain data here:
 *
 * | aiosmtpd | here |
 * |---|---|
 * | `ProxyData.version` | `info.version`; malformed is a throw instead of `None` |
 * | `.command` (v2) | `info.command`, `"PROXY"` in v1 |
 * | `.family`, `AF` | `info.family`: `"UNSPEC" "INET" "INET6" "UNIX"` |
 * | `.protocol`, `PROTO` | `info.transport`: `"UNSPEC" "STREAM" "DGRAM"` |
 * | `.src_addr`, `.src_port` | `info.source.hostname` or `.path`, `info.source.port` |
 * | `.dst_addr`, `.dst_port` | `info.destination.hostname` or `.path`, `info.destination.port` |
 * | `.rest` | `info.rest` |
 * | `.tlv` | `info.tlvs`; `{}` where there are none |
 * | `.whole_raw` | `info.raw` |
 * | `.tlv_start` | `info.tlv_start` |
 * | `.valid`, `bool(data)`, `.error`, `.with_error()` | {@link ProxyProtocolError} is thrown: `code`, `offset`, `message` |
 * | `.same_attribs(...)` | `assertObjectMatch(info, { ... })` of `@std/assert` |
 * | `ProxyTLV.NAME` | `info.tlvs.NAME`; text decoded, numbers as numbers |
 * | `.SSL` | `info.tlvs.SSL` |
 * | `.tlv_loc` | `info.tlv_loc`, right for the sub-TLVs of SSL as well |
 * | `.PP2_TYPENAME` | {@link TLV_TYPES}, {@link tlvName} |
 * | `.name_to_num(name)` | {@link tlvType} |
 * | `.from_raw(raw)` | {@link decodeTlvs} |
 * | `.parse(chunk, partial_ok=True)` | `decodeTlvs(bytes, { partial: true })` |
 * | CRC32C left to the hook | verified by {@link decode}; {@link crc32c} |
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
