/** What bytes are that are no header, as far as they can be recognised. */

import { toHex } from "./_hex.ts";
import { quoteText } from "./_quote.ts";

/** What somebody sent in place of a header. */
export interface Hint {
  /** A noun, such as "an HTTP request". */
  readonly what: string;
  /** What that means for the sender of the header. */
  readonly meaning: string;
}

const NO_HEADER = "the sender sends no PROXY header";

/** The first that matches the start as text, a character for each byte, or as hex. */
const HINTS: readonly (Hint & { readonly text?: RegExp; hex?: RegExp })[] = [
  {
    hex: /^1603/,
    what: "a TLS ClientHello",
    meaning: `${NO_HEADER}, or sends it inside TLS`,
  },
  { text: /^PRI \* HTTP\/2/, what: "an HTTP/2 preface", meaning: NO_HEADER },
  {
    text: /^[A-Z]{3,10} (?:[*/]|\S+ HTTP\/)/,
    what: "an HTTP request",
    meaning: NO_HEADER,
  },
  { text: /^SSH-\d/, what: "an SSH banner", meaning: NO_HEADER },
  { text: /^(?:EHLO|HELO) /i, what: "an SMTP command", meaning: NO_HEADER },
  {
    hex: /^(?:0000000804d2162f|0000....00030000)/,
    what: "a PostgreSQL startup message",
    meaning: NO_HEADER,
  },
  {
    hex: /^56ec/,
    what: "a Simple Proxy Protocol header",
    meaning: "decodeSimpleDatagram() decodes it",
  },
];

/** Longest start that is looked at, and that is shown, in bytes. */
const LOOKED_AT = 64;
const SHOWN_TEXT = 40;
const SHOWN_BYTES = 16;

/** Returns what bytes begin with in place of a header; `undefined` when it is not known. */
export function hintOf(bytes: Uint8Array): Hint | undefined {
  const start = bytes.subarray(0, LOOKED_AT);
  const asText = String.fromCharCode(...start);
  const asHex = toHex(start);
  return HINTS.find(({ text, hex }) => text?.test(asText) ?? hex?.test(asHex));
}

/** The first line of text in quotes, or the first bytes in hex. */
export function startText(bytes: Uint8Array): string {
  const end = bytes.findIndex((byte) => byte < 0x20 || byte > 0x7e);
  const text = end < 0 ? bytes : bytes.subarray(0, end);
  const isLineEnd = end > 0 && (bytes[end] === 0x0d || bytes[end] === 0x0a);
  if (text.length > 0 && (end < 0 || isLineEnd || end >= SHOWN_TEXT)) {
    const shown = quoteText(
      String.fromCharCode(...text.subarray(0, SHOWN_TEXT)),
    );
    return text.length > SHOWN_TEXT ? `${shown}...` : shown;
  }
  const hex = `0x${toHex(bytes.subarray(0, SHOWN_BYTES))}`;
  return bytes.length > SHOWN_BYTES ? `${hex}...` : hex;
}

/** One byte: in quotes if it is printable, else in hex. */
export function byteText(byte: number): string {
  return byte > 0x20 && byte < 0x7f
    ? quoteText(String.fromCharCode(byte))
    : `0x${toHex(Uint8Array.of(byte))}`;
}
