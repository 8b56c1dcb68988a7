import { viewOf } from "../_block.ts";
import { checkTlvs } from "./check.ts";
import { collectTlvs } from "./collect.ts";
import { checkNames, checkOneOf } from "../_options.ts";
import { plainView } from "../_plain_view.ts";
import type { DecodedTlvs, TlvLocations, Tlvs } from "../types.ts";

/** Options of {@link decodeTlvs}. */
export interface DecodeTlvsOptions {
  /**
   * Keep what could be read when the TLVs are malformed, instead of throwing.
   *
   * @default {false}
   */
  partial?: boolean;
}

/**
 * Decodes the bytes of TLVs into one flat record, including the sub-TLVs of SSL
 * (section 2.2). A checksum is not verified, because that needs the whole
 * header.
 *
 * @throws {ProxyProtocolError} code `tlv`, unless `partial`.
 * @throws {TypeError} for a wrong or unknown option, with its name.
 *
 * @example
 * ```ts
 * import { decodeTlvs } from "@edgewire/proxy-protocol/codec";
 *
 * const bytes = Uint8Array.of(0x04, 0, 0, 0x01, 0, 2, 0x68, 0x32);
 * const { tlvs, tlv_loc } = decodeTlvs(bytes);
 * console.log(tlvs.ALPN); // h2
 * console.log(tlv_loc); // { NOOP: 0, ALPN: 3 }
 * ```
 */
export function decodeTlvs(
  bytes: Uint8Array,
  options?: DecodeTlvsOptions,
): DecodedTlvs {
  const isPartial = options !== undefined && readPartial(options);
  bytes = plainView(bytes);
  const tlvs: Tlvs = {};
  const tlv_loc: TlvLocations = {};
  const view = viewOf(bytes);
  const extent = collectTlvs(bytes, view, 0, tlvs, tlv_loc);
  if (extent !== "all" && !isPartial) {
    checkTlvs(bytes, view, 0, bytes.length, "`partial: true` accepts them");
  }
  return { tlvs, tlv_loc };
}

function readPartial(options: DecodeTlvsOptions): boolean {
  checkNames("options", options, ["partial"]);
  const { partial = false } = options;
  checkOneOf("partial", partial, [true, false]);
  return partial;
}
