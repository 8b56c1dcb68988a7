import { checkedDecodeOptions, DEFAULTS } from "./_decode_options.ts";
import { scan } from "./_scan.ts";
import type {
  DecodeOptions,
  DefinedTlvs,
  ProxyInfo,
  TlvReader,
} from "./types.ts";

/**
 * Decodes the PROXY header at the start of `bytes`, version 1 or 2 (sections
 * 2.1 and 2.2). Returns `undefined` if more bytes are needed. Bytes after the
 * header are ignored: `info.raw.byteLength` is the length of the header.
 *
 * Byte values in the result are views of `bytes`, not copies.
 *
 * @throws {ProxyProtocolError} when the bytes cannot become a valid header,
 * and nothing else for any bytes.
 * @throws {TypeError} for a wrong or unknown option, with its name.
 * @throws {RangeError} for an option out of its range, with its name.
 *
 * @example
 * ```ts
 * import { decode } from "@edgewire/proxy-protocol/codec";
 *
 * const bytes = new TextEncoder().encode(
 *   "PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\r\nGET / HTTP/1.1\r\n",
 * );
 * const info = decode(bytes);
 * console.log(info?.source); // { transport: "tcp", hostname: "192.0.2.1", port: 56324 }
 * console.log(info?.raw.byteLength); // 45
 * console.log(decode(bytes.subarray(0, 44))); // undefined
 * ```
 */
export function decode<R extends TlvReader = never>(
  bytes: Uint8Array,
  options?: DecodeOptions<R>,
): ProxyInfo<DefinedTlvs<R>> | undefined;
export function decode(
  bytes: Uint8Array,
  options: DecodeOptions = DEFAULTS,
): ProxyInfo | undefined {
  const rules = options === DEFAULTS ? DEFAULTS : checkedDecodeOptions(options);
  const result = scan(bytes, rules);
  return typeof result === "number" ? undefined : result;
}
