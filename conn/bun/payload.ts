import type { BunPayload } from "./types.ts";

/** Returns a payload as bytes, whatever its class. */
export function toBytes(payload: BunPayload): Uint8Array {
  return payload instanceof ArrayBuffer ? new Uint8Array(payload) : payload;
}

/** Returns chunks as one. */
export function concat(chunks: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(
    chunks.reduce((sum, { length }) => sum + length, 0),
  );
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}

/**
 * Removes the header, which is the first bytes, from the received items. The rest
 * of a chunk keeps its class, which the application selected. Calls stay in their
 * place.
 */
export function payloadAfter<T>(
  items: readonly (BunPayload | T)[],
  length: number,
): (BunPayload | T)[] {
  const kept: (BunPayload | T)[] = [];
  let left = length;
  for (const item of items) {
    const bytes = item instanceof ArrayBuffer || item instanceof Uint8Array
      ? item
      : undefined;
    const taken = Math.min(left, bytes?.byteLength ?? 0);
    left -= taken;
    if (bytes === undefined || taken === 0) kept.push(item);
    else if (taken < bytes.byteLength) kept.push(after(bytes, taken));
  }
  return kept;
}

function after(payload: BunPayload, start: number): BunPayload {
  return payload instanceof ArrayBuffer
    ? payload.slice(start)
    : payload.subarray(start);
}
