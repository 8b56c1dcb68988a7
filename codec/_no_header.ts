import { byteText, hintOf, startText } from "./_hint.ts";
import { ProxyProtocolError } from "./error.ts";

/** Bytes that are not the signature that they begin with, from `offset` on. */
export function noHeaderError(
  bytes: Uint8Array,
  offset: number,
  expected?: number,
): ProxyProtocolError {
  const hint = hintOf(bytes);
  const what = hint !== undefined
    ? ` (${hint.what})`
    : expected === undefined
    ? ""
    : `, expected ${byteText(expected)} at byte ${offset}`;
  return new ProxyProtocolError(
    `No PROXY header: received ${startText(bytes)}${what}`,
    "signature",
    { offset, received: bytes },
  );
}
