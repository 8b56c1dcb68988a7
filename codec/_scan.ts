import { scanV1 } from "./_v1.ts";
import { scanV2 } from "./_v2.ts";
import { plainView } from "./_plain_view.ts";
import { signatureIn } from "./_signature.ts";
import {
  DEFAULT_MAX_LENGTH,
  FIXED_LENGTH,
  LINE_SIGNATURE,
  SHORTEST_LINE,
  SIGNATURE,
} from "./_wire.ts";
import { ProxyProtocolError } from "./error.ts";
import type { DecodeOptions, ProxyInfo } from "./types.ts";

const LINE_START = LINE_SIGNATURE.charCodeAt(0);

/**
 * Reads a header at the start of `bytes`, by options that have been checked. A
 * number is how many bytes must at
 * least still come; the header cannot be valid with fewer.
 */
export function scan(
  bytes: Uint8Array,
  options: DecodeOptions,
): ProxyInfo | number {
  const plain = plainView(bytes);
  const { versions, maxLength = DEFAULT_MAX_LENGTH } = options;
  const acceptsV1 = versions?.includes(1) ?? true;
  const acceptsV2 = versions?.includes(2) ?? true;
  const first = plain[0];
  if (first === undefined) return acceptsV1 ? SHORTEST_LINE : FIXED_LENGTH;
  if (first === SIGNATURE[0] && acceptsV2) {
    return scanV2(plain, options, maxLength);
  }
  if (first === LINE_START && acceptsV1) {
    return scanV1(plain, options, maxLength);
  }
  const accepted = acceptsV1 ? acceptsV2 ? "" : " v1" : " v2";
  const isOther = signatureIn(plain) === "whole";
  throw new ProxyProtocolError(
    `Cannot decode PROXY header: not the start of a${accepted} header`,
    isOther ? "version" : "signature",
    { received: plain },
  );
}
