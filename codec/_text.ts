/** Text of TLVs and UNIX paths: UTF-8 that loses no byte. */

const DECODER = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const ENCODER = new TextEncoder();

/** A byte over 0x7F that is not UTF-8 stands as this plus the byte. */
const ESCAPE = 0xdc00;

/**
 * Arrays of each length for the codes of short ASCII text: they need
 * 50 to 150 ns, a TextDecoder 150 to 450.
 */
const CODES: readonly number[][] = Array.from(
  { length: 48 },
  (_, length) => Array.from({ length }, () => 0),
);

/** Reads UTF-8; where it is not valid, each byte over 0x7F becomes U+DC80 to U+DCFF. */
export function decodeText(
  bytes: Uint8Array,
  start: number,
  end: number,
): string {
  const codes = CODES[end - start];
  if (codes === undefined) return decodeUtf8(bytes.subarray(start, end));
  let all = 0;
  for (let i = 0; i < codes.length; i++) {
    const code = bytes[start + i]!;
    codes[i] = code;
    all |= code;
  }
  return all < 0x80
    ? String.fromCharCode.apply(null, codes)
    : decodeUtf8(bytes.subarray(start, end));
}

function decodeUtf8(bytes: Uint8Array): string {
  try {
    return DECODER.decode(bytes);
  } catch {
    let text = "";
    for (const byte of bytes) {
      text += String.fromCharCode(byte < 0x80 ? byte : ESCAPE + byte);
    }
    return text;
  }
}

/** The way back from {@link decodeText}; `undefined` for any other lone surrogate. */
export function encodeText(text: string): Uint8Array | undefined {
  if (text.isWellFormed()) return ENCODER.encode(text);
  const bytes: number[] = [];
  for (const character of text) {
    const byte = character.charCodeAt(0) - ESCAPE;
    if (character.isWellFormed()) bytes.push(...ENCODER.encode(character));
    else if (byte >= 0x80 && byte <= 0xff) bytes.push(byte);
    else return undefined;
  }
  return Uint8Array.from(bytes);
}

/** Whether a text has one byte per character. */
export function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    if (text.charCodeAt(i) > 0x7f) return false;
  }
  return true;
}

/**
 * Writes a text of one byte per character; returns where it ends. For so few bytes
 * a TextEncoder needs three times as long.
 */
export function writeLatin1(
  text: string,
  target: Uint8Array,
  at: number,
): number {
  for (let i = 0; i < text.length; i++) target[at + i] = text.charCodeAt(i);
  return at + text.length;
}
