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
import type { Info } from "./_info.ts";
import type { DecodeOptions } from "./types.ts";

const SIGNATURE_START = SIGNATURE[0];
const LINE_START = LINE_SIGNATURE.charCodeAt(0);

/**
 * Reads a header at the start of `bytes`, by options that have been checked. A
 * number is how many bytes must at
 * least still come; the header cannot be valid with fewer.
 */
export function scan(
  bytes: Uint8Array,
  options: DecodeOptions,
): Info | number {
  const plain = plainView(bytes);
  const { versions, maxLength = DEFAULT_MAX_LENGTH } = options;
  const accepts = (version: 1 | 2) => versions?.includes(version) ?? true;
  const first = plain[0];
  if (first === SIGNATURE_START && accepts(2)) {
    return scanV2(plain, options, maxLength);
  }
  if (first === LINE_START && accepts(1)) {
    return scanV1(plain, options, maxLength);
  }
  if (first === undefined) return accepts(1) ? SHORTEST_LINE : FIXED_LENGTH;
  const accepted = accepts(1) ? accepts(2) ? "" : " v1" : " v2";
  const isOther = signatureIn(plain) === "whole";
  throw new ProxyProtocolError(
    `Cannot decode PROXY header: not the start of a${accepted} header`,
    isOther ? "version" : "signature",
    { received: plain },
  );
}
