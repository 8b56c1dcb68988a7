/** Headers that real servers wrote, from `data/captures.json`. */

import captures from "./data/captures.json" with { type: "json" };

/** A captured header and what followed it. */
export interface Capture {
  id: string;
  header: Uint8Array<ArrayBuffer>;
  payload: Uint8Array<ArrayBuffer>;
}

/** All captures. */
export const CAPTURES: readonly Capture[] = captures.map((capture) => ({
  id: capture.id,
  header: Uint8Array.fromHex(capture.hex),
  payload: Uint8Array.fromHex(capture.payloadHex ?? ""),
}));

/** The capture of a name. */
export function captured(id: string): Capture {
  const capture = CAPTURES.find((capture) => capture.id === id);
  if (!capture) throw new Error(`No capture is called ${id}`);
  return capture;
}
