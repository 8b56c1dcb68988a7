/** Bytes that tests send, on any runtime. */

/** Text as bytes. */
export function utf8(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

/** Chunks as one. */
export function concat(
  chunks: readonly Uint8Array[],
): Uint8Array<ArrayBuffer> {
  const length = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  const whole = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}

/** Bytes in which a lost, doubled or moved one shows. */
export function pattern(length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  let state = 1;
  for (let i = 0; i < length; i++) {
    state = Math.imul(state, 48271) % 0x7fffffff;
    bytes[i] = state;
  }
  return bytes;
}

/** Compares without printing a megabyte when they differ. */
export function assertBytes(actual: Uint8Array, expected: Uint8Array): void {
  const at = expected.findIndex((byte, i) => byte !== actual[i]);
  if (at < 0 && actual.length === expected.length) return;
  throw new Error(
    `${actual.length} bytes instead of ${expected.length}, which differ at ${
      at < 0 ? expected.length : at
    }`,
  );
}
