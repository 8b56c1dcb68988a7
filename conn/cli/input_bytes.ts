/** Bytes in the forms that people use: raw, hex, dumps, and text with escapes. */

import { LINE_SIGNATURE, SIGNATURE } from "../../codec/internal.ts";
import { fromHex } from "./hex.ts";
import { UsageError } from "./usage_error.ts";
import { count, latin1, showText } from "./show.ts";

/** Form in which bytes are read. */
export type Form = "hex" | "raw" | "either";

/** Characters that are not allowed in hex: neither digits nor separators. */
const NO_HEX_REGEXP = /[^\da-fx\s:,\\]|(?<![0\\])x|\\(?!x)/i;
const BETWEEN_REGEXP = /0x|\\x|[\s:,]/gi;

/** Lines of `xxd` and `tcpdump -x`, of `hexdump -C`, of `od -t x1`: offset, bytes, text. */
const DUMP_LINE_REGEXPS = [
  /^\s*(?:0x)?[\da-f]{4,8}:\s+((?:[\da-f]{2,4} )*[\da-f]{2,4})(?:\s\s.*|\s*)$/i,
  /^[\da-f]{8}\s\s((?:[\da-f]{2}\s{1,2})*[\da-f]{2})\s*(?:\|.*)?$/i,
  /^[0-7]{7}\s((?:[\da-f]{2}\s)*[\da-f]{2})\s*$/,
];

/**
 * Longest line of a dump, in characters. `xxd -c 256` prints about 1200. A line of
 * eight million bytes overflows the stack of the expressions.
 */
const LONGEST_DUMP_LINE = 4096;

/** An empty line, or the final offset of `hexdump -C` and `od`, without spaces around. */
const EMPTY_LINE_REGEXP = /^(?:[\da-f]{7,8})?$/i;

/** Start of a dump. No header begins with these two bytes as hex. */
const DUMP_START_REGEXP = /^\s*(?:0x)?0000/i;

/** Escapes of C, Python, JavaScript and `printf`. */
const ESCAPE_REGEXP = /\\(?:x([\da-f]{2})|([0-3][0-7]{2}|0)|([rnt\\'"]))/gi;
const ESCAPED: Readonly<Record<string, string>> = {
  r: "\r",
  n: "\n",
  t: "\t",
};

/** Reads bytes as raw if they begin like a header, or are not hex. */
export function readBytes(bytes: Uint8Array, form: Form): Uint8Array {
  if (form === "raw" || (form === "either" && beginsHeader(bytes))) {
    return bytes;
  }
  const text = latin1(bytes);
  const read = bytesOfHex(text);
  if (read !== undefined) return read;
  // Digits that are no pairs are hex which somebody has cut, not bytes.
  if (form === "either" && !digitsOf(text)) return bytes;
  throw notHex(text);
}

/** Reads typed bytes: hex, or text with escapes. */
export function readTyped(text: string, form: Form): Uint8Array {
  const read = form === "raw" ? undefined : bytesOfHex(text);
  if (read !== undefined) return read;
  const isText = text.includes("\\") || text.startsWith(LINE_SIGNATURE.trim());
  if (form === "hex" || (form === "either" && !isText)) throw notHex(text);
  return unescape(text);
}

/** Reads hex in any of its forms. Returns `undefined` if the text is not hex. */
export function bytesOfHex(text: string): Uint8Array | undefined {
  const digits = digitsOf(text);
  return digits === undefined || digits === "" || digits.length % 2 !== 0
    ? undefined
    : fromHex(digits);
}

function digitsOf(text: string): string | undefined {
  if (DUMP_START_REGEXP.test(text)) {
    const lines = text.split("\n").filter((line) =>
      !EMPTY_LINE_REGEXP.test(line.trim())
    ).map(dumped);
    const isDump = lines.every((digits) => digits !== undefined);
    if (isDump) return lines.join("").replaceAll(/\s/g, "");
  }
  return NO_HEX_REGEXP.test(text)
    ? undefined
    : text.replaceAll(BETWEEN_REGEXP, "");
}

function dumped(line: string): string | undefined {
  if (line.length > LONGEST_DUMP_LINE) return undefined;
  for (const regexp of DUMP_LINE_REGEXPS) {
    const digits = regexp.exec(line)?.[1];
    if (digits !== undefined) return digits;
  }
  return undefined;
}

/** Returns text in UTF-8, with its escapes replaced. */
function unescape(text: string): Uint8Array {
  const bytes = new TextEncoder().encode(text);
  // One character for each byte: an escape may stand for any byte.
  const raw = Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
  const plain = raw.replaceAll(
    ESCAPE_REGEXP,
    (_, hex?: string, octal?: string, letter = "") =>
      hex !== undefined
        ? String.fromCharCode(parseInt(hex, 16))
        : octal !== undefined
        ? String.fromCharCode(parseInt(octal, 8))
        : ESCAPED[letter] ?? letter,
  );
  return Uint8Array.from(plain, (character) => character.charCodeAt(0));
}

function beginsHeader(bytes: Uint8Array): boolean {
  const begins = (start: readonly number[]) =>
    start.every((byte, i) => byte === bytes[i]);
  return begins(SIGNATURE) ||
    begins(Array.from(LINE_SIGNATURE, (letter) => letter.charCodeAt(0)));
}

function notHex(text: string): UsageError {
  const digits = digitsOf(text);
  const start = text.length > 40 ? `${text.slice(0, 40)}...` : text;
  return new UsageError(
    `Cannot read hex: expected pairs of hex digits, received ${
      digits ? count(digits.length, "digit") : showText(start)
    }`,
  );
}
