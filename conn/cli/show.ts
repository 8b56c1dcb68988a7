/** Values as text. */

import { toHex } from "./hex.ts";

/**
 * Characters that act on a terminal or a log: controls, directional formatting, ends
 * of lines except `\n`, lone surrogates, and unassigned code points.
 */
const ACTING_REGEXP = /[^\P{C}\n]|[\p{Zl}\p{Zp}]/gu;

/**
 * Escapes the characters that act on a terminal, as JSON escapes them. All text
 * that leaves the command line goes through here, because peers, files and
 * arguments are in it. JSON stays JSON.
 */
export function printable(text: string): string {
  return text.replace(
    ACTING_REGEXP,
    (character) =>
      character.split("").map((unit) =>
        `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`
      ).join(""),
  );
}

/** Returns a character for each byte. */
export function latin1(bytes: Uint8Array): string {
  return new TextDecoder("latin1").decode(bytes);
}

/** Returns text in quotes, on one line. */
export function showText(text: string): string {
  return JSON.stringify(text);
}

/** Returns bytes as text in quotes if they are ASCII text, else as hex. */
export function showBytes(bytes: Uint8Array): string {
  return bytes.every((byte) => byte >= 0x20 && byte < 0x7f)
    ? showText(new TextDecoder().decode(bytes))
    : `0x${toHex(bytes)}`;
}

/** Returns the first bytes of a payload in quotes, in a form that `decode` accepts. */
export function showStart(bytes: Uint8Array, count = 48): string {
  const text = Array.from(bytes.subarray(0, count), escaped).join("");
  return bytes.length > count ? `"${text}"...` : `"${text}"`;
}

function escaped(byte: number): string {
  const character = String.fromCharCode(byte);
  if (/[ !#-[\]-~]/.test(character)) return character;
  return /["\\\r\n\t]/.test(character)
    ? JSON.stringify(character).slice(1, -1)
    : `\\x${byte.toString(16).padStart(2, "0")}`;
}

/** A number of 32 bits in hex. */
export function showUint32(number: number): string {
  return `0x${number.toString(16).padStart(8, "0")}`;
}

/** How many of something. */
export function count(number: number, unit: string): string {
  return `${number} ${unit}${number === 1 ? "" : "s"}`;
}

/** JSON with bytes as hex. */
export function toJson(value: unknown, indent?: number): string {
  return JSON.stringify(
    value,
    (_, part) => part instanceof Uint8Array ? toHex(part) : part,
    indent,
  );
}
