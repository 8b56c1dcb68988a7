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
import { noHeaderError } from "./_no_header.ts";
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
  throw signatureIn(plain) === "whole"
    ? notAccepted(plain, first === LINE_START ? 1 : 2)
    : noHeaderError(plain, 0);
}

/** A header of a version that `versions` leaves out. */
function notAccepted(bytes: Uint8Array, version: 1 | 2): ProxyProtocolError {
  return new ProxyProtocolError(
    `Cannot decode PROXY header: version ${version} at byte 0, expected ${
      3 - version
    }; \`versions: [1, 2]\` accepts both`,
    "version",
    { received: bytes },
  );
}
