/** Headers from elsewhere, accepted and refused, in all the ways to cut them. */

import { bytesNeeded, ProxyProtocolError } from "../../codec/mod.ts";
import { concat, pattern } from "../_bytes.ts";
import { REFUSED } from "../codec/_refusals.ts";
import { ACCEPTED } from "../codec/_vectors.ts";
import { behind, PAYLOAD, refused, served, undecodable } from "./_expect.ts";
import type { Scenario, Stage } from "./_scenario.ts";

const MEBIBYTE = pattern(1 << 20);

/** The servers have no leniency on. */
const accepted = ACCEPTED.filter(({ options }) => options === undefined).map((
  { name, bytes, expected },
) => ({ name, bytes, sight: behind(expected) }));

/** One of each length, which stands for the others of that length. */
const varied = [...new Map(accepted.map((one) => [one.bytes.length, one]))
  .values()];

/** Sends each piece by itself: a turn of the loop makes two writes of two. */
async function sendPieces(
  stage: Stage,
  pieces: readonly Uint8Array[],
): Promise<void> {
  const client = await stage.dial();
  for (const piece of pieces) {
    await client.send(piece);
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
}

function cut(
  vectors: typeof accepted,
  how: string,
  cutting: (bytes: Uint8Array) => Uint8Array[],
  payload = PAYLOAD,
): Scenario[] {
  return vectors.map(({ name, bytes, sight }) => ({
    name: `${name}, ${how}`,
    group: how,
    act: (stage) => sendPieces(stage, cutting(bytes)),
    expected: [served(sight, payload)],
  }));
}

/** How many bytes of a header that is refused someone has read who never reads a byte too many. */
function decidedAt(bytes: Uint8Array): number {
  let length = 0;
  try {
    while (length < bytes.length) {
      length += bytesNeeded(bytes.subarray(0, length));
    }
    bytesNeeded(bytes);
  } catch (error) {
    if (error instanceof ProxyProtocolError) return length;
    throw error;
  }
  throw new Error("The header is valid");
}

/** Those of headers. */
export const VECTOR_SCENARIOS: readonly Scenario[] = [
  ...cut(
    accepted,
    "glued to its payload",
    (bytes) => [concat([bytes, PAYLOAD])],
  ),
  ...cut(varied, "in two pieces", (bytes) => [
    bytes.subarray(0, bytes.length >> 1),
    concat([bytes.subarray(bytes.length >> 1), PAYLOAD]),
  ]),
  ...cut(
    varied.filter(({ bytes }) => bytes.length <= 64),
    "byte by byte",
    (bytes) => [...Array.from(bytes, (byte) => Uint8Array.of(byte)), PAYLOAD],
  ),
  ...cut(
    varied.slice(0, 4),
    "glued to 1 MiB",
    (bytes) => [concat([bytes, MEBIBYTE])],
    MEBIBYTE,
  ),
  ...REFUSED.filter(({ options, bytes }) =>
    options === undefined && bytes.length > 0
  ).map(({ name, bytes }): Scenario => {
    const sent = bytes.subarray(0, decidedAt(bytes));
    return {
      name: `${name}, which is refused`,
      group: "refused",
      act: (stage) => stage.dial(sent),
      expected: [refused(undecodable(sent))],
    };
  }),
];
