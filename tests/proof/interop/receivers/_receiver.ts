/**
 * What a driver of a real server that reads headers looks like.
 *
 * @module
 */

import type { InputName } from "./_inputs.ts";

/** What a server can tell of a header, in the order in which it is printed. */
export const FIELDS = [
  "src",
  "sport",
  "dst",
  "dport",
  "alpn",
  "authority",
  "unique_id",
  "ssl_version",
  "ssl_cn",
  "ssl_cipher",
] as const;

/** One of {@link FIELDS}. */
export type Field = typeof FIELDS[number];

/** What was told, by field. */
export type Facts = Partial<Record<Field, string>>;

/**
 * `"told"`: the addresses and TLVs of the header are in force. `"real"`: those
 * of the socket stay so. `"refused"`: no service.
 */
export type Outcome = "told" | "real" | "refused";

/** Where a server does otherwise than the specification lets one expect. */
export interface Difference {
  /** What it does, or says where that is another address altogether. */
  outcome: Outcome | `src=${string}`;
  /** Why. */
  note: string;
}

/** Differences by the input that shows them. */
export type Differences = Partial<Record<InputName, Difference>>;

/** A header on its way. */
export interface Sent {
  header: Uint8Array<ArrayBuffer>;
  /** After how many bytes it is cut in two; it is whole without. */
  cut?: number;
}

/** A server that listens; it ends by `await using`. */
export interface Receiving extends AsyncDisposable {
  /**
   * Sends a header with a request behind it. What the server says of it, such
   * as `src=192.0.2.1:56324 dst=198.51.100.1:443`, or `real` or `refused`.
   */
  probe(sent: Sent): Promise<string>;
}

/** A server that reads headers. */
export interface Receiver {
  /** Its name in the matrix. */
  name: string;
  /** Whether it is small and quick enough for every run. */
  isCheap: boolean;
  /** Whether headers come in datagrams, so that they are never cut. */
  isUdp?: boolean;
  /** Whether it only starts as root. */
  needsRoot: boolean;
  /** Packages of Debian 12 that it is in. */
  packages: readonly string[];
  /** Programs that must be there, by name or path. */
  programs: readonly string[];
  /** What it tells. */
  tells: readonly Field[];
  /** What it does otherwise. */
  differs: Differences;
  /** Its version. */
  version(): Promise<string>;
  /** Starts it. */
  start(): Promise<Receiving>;
}
