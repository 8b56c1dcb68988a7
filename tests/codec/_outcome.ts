/**
 * What must hold for the codec whatever the bytes are.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { equals } from "@std/bytes";
import {
  bytesNeeded,
  decode,
  type DecodeOptions,
  encode,
  type ProxyInfo,
  ProxyProtocolError,
} from "../../codec/mod.ts";

/** What `decode()` makes of bytes. */
export type Outcome = ProxyInfo | ProxyProtocolError | undefined;

/** Any other error goes through. */
export function outcomeOf(bytes: Uint8Array, options: DecodeOptions): Outcome {
  try {
    return decode(bytes, options);
  } catch (error) {
    if (error instanceof ProxyProtocolError) return error;
    throw error;
  }
}

/** Whether both outcomes are the same for who reads the connection. */
function assertSame(actual: Outcome, expected: Outcome): void {
  if (expected instanceof ProxyProtocolError) {
    // Which of several faults is named depends on how much is in.
    assert(actual instanceof ProxyProtocolError, "accepted once, refused once");
  } else {
    assert(!(actual instanceof ProxyProtocolError), "refused once");
    assertEquals(actual?.raw.byteLength, expected?.raw.byteLength);
  }
}

/** `bytesNeeded()` must agree with `decode()`. */
function checkNeeded(
  bytes: Uint8Array,
  options: DecodeOptions,
  outcome: Outcome,
): void {
  let needed: number;
  try {
    needed = bytesNeeded(bytes, options);
  } catch (error) {
    assert(error instanceof ProxyProtocolError, String(error));
    assert(outcome instanceof ProxyProtocolError, "bytesNeeded() alone throws");
    assertEquals(error.message, outcome.message);
    return;
  }
  assert(!(outcome instanceof ProxyProtocolError), "decode() alone throws");
  if (outcome === undefined) {
    assert(Number.isInteger(needed) && needed >= 1, `needs ${needed}`);
  } else {
    assertEquals(needed, 0);
  }
}

/** An accepted header is of its own bytes, encodable, and stable from there. */
function checkAccepted(
  bytes: Uint8Array,
  options: DecodeOptions,
  info: ProxyInfo,
): void {
  const { raw } = info;
  assert(raw.byteLength <= bytes.byteLength);
  assertEquals(raw.byteOffset, bytes.byteOffset);
  const hasAddresses = info.command === "PROXY" && info.family !== "UNSPEC" &&
    info.transport !== "UNSPEC";
  assertEquals(info.source !== undefined, hasAddresses);
  assertEquals(info.destination !== undefined, hasAddresses);
  assertSame(outcomeOf(raw, options), info);

  const once = encode(info);
  const again = decode(once, { maxLength: once.length });
  assert(again !== undefined, "encode() wrote less than a header");
  assert(equals(encode(again), once), "encode() is not stable");
}

/** The first outcome of a reader that gets the bytes in pieces. */
function outcomeOfPieces(
  bytes: Uint8Array,
  options: DecodeOptions,
  cuts: readonly number[],
): Outcome {
  for (const cut of cuts) {
    const outcome = outcomeOf(bytes.subarray(0, cut), options);
    if (outcome !== undefined) return outcome;
  }
  return outcomeOf(bytes, options);
}

/** The outcome of a reader that takes what `bytesNeeded()` says, no more. */
function outcomeOfExactReads(
  bytes: Uint8Array,
  options: DecodeOptions,
): Outcome {
  let at = 0;
  for (;;) {
    const outcome = outcomeOf(bytes.subarray(0, at), options);
    if (outcome instanceof ProxyProtocolError) return outcome;
    if (outcome !== undefined) {
      assertEquals(outcome.raw.byteLength, at, "took bytes of the payload");
      return outcome;
    }
    at += bytesNeeded(bytes.subarray(0, at), options);
    if (at > bytes.length) return undefined;
  }
}

/**
 * Checks all of it; `cuts` are lengths, rising, at which a reader looks.
 * Returns the outcome, for those who count.
 */
export function checkOutcome(
  bytes: Uint8Array,
  options: DecodeOptions,
  cuts: readonly number[],
): Outcome {
  const outcome = outcomeOf(bytes, options);
  checkNeeded(bytes, options, outcome);
  if (outcome !== undefined && !(outcome instanceof ProxyProtocolError)) {
    checkAccepted(bytes, options, outcome);
  }
  assertSame(outcomeOfPieces(bytes, options, cuts), outcome);
  const exact = outcomeOfExactReads(bytes, options);
  // Such a reader waits for bytes that an incomplete refused header lacks.
  if (exact !== undefined || !(outcome instanceof ProxyProtocolError)) {
    assertSame(exact, outcome);
  }
  return outcome;
}
