/** Bytes as a plain `Uint8Array`: views of a `Buffer` would be Buffers as well. */
export function plainView(bytes: Uint8Array): Uint8Array {
  if (bytes?.constructor === Uint8Array) return bytes;
  if (!(bytes instanceof Uint8Array)) {
    throw new TypeError("Cannot decode: expected a Uint8Array");
  }
  if (bytes.length === 0) return new Uint8Array(0); // its buffer may be detached
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
