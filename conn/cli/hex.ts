/** Bytes as hex and back: Node 24 has neither `toHex` nor `fromHex`. */

const PAIRS: readonly string[] = Array.from(
  { length: 256 },
  (_, byte) => byte.toString(16).padStart(2, "0"),
);

/** Writes two lower-case digits for each byte. */
export function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => PAIRS[byte]).join("");
}

/** Reads pairs of digits, which the caller has checked. */
export function fromHex(digits: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(digits.length / 2);
  for (let i = 0; i < bytes.length; i++) {
    const high = digitAt(digits, 2 * i);
    bytes[i] = high << 4 | digitAt(digits, 2 * i + 1);
  }
  return bytes;
}

function digitAt(digits: string, at: number): number {
  const code = digits.charCodeAt(at);
  return code <= 0x39 ? code - 0x30 : (code | 0x20) - 0x57;
}
