/** Bytes that tests send. */

import { equals } from "@std/bytes";
import { assert } from "@std/assert";

/** Text as bytes. */
export function utf8(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
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
  if (equals(actual, expected)) return;
  const at = expected.findIndex((byte, i) => byte !== actual[i]);
  assert(
    false,
    `${actual.length} bytes instead of ${expected.length}, which differ at ${
      at < 0 ? expected.length : at
    }`,
  );
}
