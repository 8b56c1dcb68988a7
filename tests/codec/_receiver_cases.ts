/**
 * The inputs that were sent to 21 real receivers, by name.
 *
 * @module
 */

import matrix from "../data/receiver_matrix.json" with { type: "json" };
import { hex } from "./_hex.ts";

const CASES: ReadonlyMap<string, string> = new Map(
  Object.entries(matrix.cases),
);

/** Names of all inputs. */
export const RECEIVER_CASE_NAMES: readonly string[] = [...CASES.keys()];

/** One input; what strictness demands of it is in the tables that use it. */
export function receiverCase(
  name: string,
): { name: string; source: string; bytes: Uint8Array } {
  const digits = CASES.get(name);
  if (digits === undefined) throw new Error(`No receiver case named ${name}`);
  return {
    name,
    source: "tests/data/receiver_matrix.json",
    bytes: hex(digits),
  };
}
