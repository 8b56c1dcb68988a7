/**
 * What every runtime has to do with a connection, once for all of them: their
 * servers tell what they see of the client in a line, then echo.
 */

import type { Address } from "../../mod.ts";
import { pattern } from "../_bytes.ts";
import { REFUSED } from "../codec/_refusals.ts";
import { ACCEPTED } from "../codec/_vectors.ts";

/** What a server tells of the client: `null` for what it does not have. */
export interface Told {
  hostname: string | null;
  port: number | null;
}

/** A connection, as its client makes it. */
export interface Scenario {
  name: string;
  /** Each is sent by itself. */
  pieces: readonly Uint8Array[];
  /** Whom the server must see; "real" is the peer, "nobody" a refusal. */
  sees: Told | "real" | "nobody";
  /** What must come back to the last byte. */
  payload: Uint8Array;
  /** The client does not end its direction, so that the server has to close. */
  isSilent?: boolean;
  /**
   * Which of the default services it is for.
   *
   * @default {"patient"}
   */
  service?: "patient" | "impatient";
}

const PAYLOAD = pattern(100);
const MEBIBYTE = pattern(1 << 20);

function told(source: Address | undefined): Told | "real" {
  if (source === undefined) return "real";
  return "path" in source
    ? { hostname: null, port: null }
    : { hostname: source.hostname, port: source.port };
}

function join(...parts: Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

/** The servers have no leniency on. */
const accepted = ACCEPTED.filter(({ options }) => options === undefined).map((
  { name, bytes, expected },
) => ({
  name,
  bytes,
  sees: told(expected.source),
}));

const refused = REFUSED.filter(({ options, bytes }) =>
  options === undefined && bytes.length > 0
);

/** One of each length, which stands for the others of that length. */
const varied = [...new Map(accepted.map((one) => [one.bytes.length, one]))
  .values()];

/** All scenarios. */
export const SCENARIOS: readonly Scenario[] = [
  ...accepted.map(({ name, bytes, sees }) => ({
    name: `${name}, glued to its payload`,
    pieces: [join(bytes, PAYLOAD)],
    sees,
    payload: PAYLOAD,
  })),
  ...varied.map(({ name, bytes, sees }) => ({
    name: `${name}, in two pieces`,
    pieces: [
      bytes.subarray(0, bytes.length >> 1),
      join(bytes.subarray(bytes.length >> 1), PAYLOAD),
    ],
    sees,
    payload: PAYLOAD,
  })),
  ...varied.filter(({ bytes }) => bytes.length <= 64).map((one) => ({
    name: `${one.name}, byte by byte`,
    pieces: [
      ...Array.from(one.bytes, (byte) => Uint8Array.of(byte)),
      PAYLOAD,
    ],
    sees: one.sees,
    payload: PAYLOAD,
  })),
  ...varied.slice(0, 4).map(({ name, bytes, sees }) => ({
    name: `${name}, glued to 1 MiB`,
    pieces: [join(bytes, MEBIBYTE)],
    sees,
    payload: MEBIBYTE,
  })),
  ...refused.map(({ name, bytes }) => ({
    name: `${name}, which is refused`,
    pieces: [bytes],
    sees: "nobody" as const,
    payload: new Uint8Array(),
    isSilent: true,
  })),
  {
    name: "a header one byte short at the deadline, which is refused",
    pieces: [new TextEncoder().encode("PROXY UNKNOWN\r")],
    sees: "nobody",
    payload: new Uint8Array(),
    isSilent: true,
    service: "impatient",
  },
  {
    name: "a peer that sends nothing, which is refused",
    pieces: [],
    sees: "nobody",
    payload: new Uint8Array(),
    isSilent: true,
    service: "impatient",
  },
  {
    name: "a peer that leaves in its header, which is refused",
    pieces: [new TextEncoder().encode("PROXY TCP4 192.0.2.1")],
    sees: "nobody",
    payload: new Uint8Array(),
  },
];
