/**
 * Headers written by hand: the wire is visible in the test, and nothing here
 * comes from the encoder.
 *
 * @module
 */

/** The 12 bytes that begin a v2 header (specification, section 2.2). */
export const SIGNATURE_HEX = "0d0a0d0a000d0a515549540a";

/** 192.0.2.1:56324 to 198.51.100.1:443. */
export const BLOCK4 = "c0000201c6336401dc0401bb";

/** 2001:db8::1 port 56324 to 2001:db8::2 port 443. */
export const BLOCK6 =
  "20010db800000000000000000000000120010db8000000000000000000000002dc0401bb";

/** `/run/a` to `/run/b`. */
export const BLOCK_UNIX: string = unixPath("2f72756e2f61") +
  unixPath("2f72756e2f62");

/** Family bytes of section 2.2 and the length of their address blocks, which follows the family alone. */
export const BLOCK_LENGTHS: ReadonlyMap<number, number> = new Map([
  ...[0x00, 0x01, 0x02].map((byte) => [byte, 0] as const),
  ...[0x10, 0x11, 0x12].map((byte) => [byte, 12] as const),
  ...[0x20, 0x21, 0x22].map((byte) => [byte, 36] as const),
  ...[0x30, 0x31, 0x32].map((byte) => [byte, 216] as const),
]);

/** How many bytes of addresses PROXY must have: a transport of UNSPEC may come without. */
export function neededBlock(byte: number): number | undefined {
  const length = BLOCK_LENGTHS.get(byte);
  return length !== undefined && (byte & 0x0f) === 0 ? 0 : length;
}

/** Bytes of hex digits; spaces are for the reader. */
export function hex(digits: string): Uint8Array<ArrayBuffer> {
  const pairs = digits.replaceAll(" ", "").match(/../g) ?? [];
  return Uint8Array.from(pairs, (pair) => parseInt(pair, 16));
}

/** The way back from {@link hex}. */
export function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0"))
    .join("");
}

/** Bytes of text of 8-bit characters. */
export function ascii(text: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

/** The text of a value, as hex. */
export function textHex(text: string): string {
  return toHex(new TextEncoder().encode(text));
}

/** A v2 header: command and family byte, then the body after its length. */
export function v2(
  commandAndFamily: string,
  body = "",
): Uint8Array<ArrayBuffer> {
  return hex(SIGNATURE_HEX + commandAndFamily + length(body) + body);
}

/** A TLV: type, length, value. */
export function tlv(type: string, value = ""): string {
  return type + length(value) + value;
}

/** A UNIX address, filled up with zeroes to its 108 bytes. */
export function unixPath(path: string): string {
  return path.padEnd(2 * 108, "0");
}

/** Two bytes, network order. */
function length(digits: string): string {
  const bytes = digits.replaceAll(" ", "").length / 2;
  return bytes.toString(16).padStart(4, "0");
}
