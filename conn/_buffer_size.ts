/** Largest buffer that bytes are read into, in bytes. */
const LARGEST = 65536;

/** How many times as large the next one is. */
const FACTOR = 16;

/**
 * Returns the size of the buffer for the next read: more after a read that has filled
 * one. Most connections never need more than their first.
 */
export function sizeAfter(size: number, count: number): number {
  return count < size ? size : Math.min(FACTOR * size, LARGEST);
}

/** Returns the buffer for the next read: the same one unless it was filled. */
export function bufferAfter(
  buffer: Uint8Array<ArrayBuffer>,
  count: number,
): Uint8Array<ArrayBuffer> {
  const size = sizeAfter(buffer.length, count);
  return size === buffer.length ? buffer : new Uint8Array(size);
}
