import { checkedDecodeOptions, DEFAULTS } from "./_decode_options.ts";
import { scan } from "./_scan.ts";
import type { DecodeOptions } from "./types.ts";

/**
 * Returns the least number of bytes that are missing to complete the header at
 * the start of `bytes`. Returns 0 if the header is complete. Reading that many
 * bytes never reads payload. So a reader that calls this after each read stops
 * exactly at the end of the header (sections 2.1 and 2.2).
 *
 * @throws {ProxyProtocolError} as soon as the bytes cannot become a valid
 * header, and nothing else for any bytes.
 * @throws {TypeError} for a wrong or unknown option, with its name.
 * @throws {RangeError} for an option out of its range, with its name.
 *
 * @example
 * ```ts
 * import { bytesNeeded } from "@edgewire/proxy-protocol/codec";
 *
 * const line = new TextEncoder().encode("PROXY UNKNOWN\r\n");
 * console.log(bytesNeeded(new Uint8Array())); // 15
 * console.log(bytesNeeded(line.subarray(0, 13))); // 2
 * console.log(bytesNeeded(line)); // 0
 * ```
 */
export function bytesNeeded(
  bytes: Uint8Array,
  options: DecodeOptions = DEFAULTS,
): number {
  const rules = options === DEFAULTS ? DEFAULTS : checkedDecodeOptions(options);
  const result = scan(bytes, rules);
  return typeof result === "number" ? result : 0;
}
