/**
 * What many receivers have in common that differs from the specification.
 *
 * @module
 */

import { type InputName, INPUTS } from "./_inputs.ts";
import type { Differences } from "./_receiver.ts";

/** It takes a header whatever its checksum. */
export const NO_CHECKSUM: Differences = {
  "v2 TCP4 with a wrong checksum": {
    outcome: "told",
    note: "does not verify checksums",
  },
};

/** It refuses a header without addresses. */
export const NO_UNKNOWN: Differences = {
  "v1 UNKNOWN": { outcome: "refused", note: "rejects UNKNOWN" },
};

/** It refuses the 15 bytes of the shortest line. */
export const NO_SHORT_UNKNOWN: Differences = {
  "v1 UNKNOWN": {
    outcome: "refused",
    note: "accepts UNKNOWN only if more bytes follow on the line",
  },
};

/** It refuses PROXY without a family. */
export const NO_UNSPEC: Differences = {
  "v2 UNSPEC": { outcome: "refused", note: "rejects PROXY with UNSPEC" },
};

/** It refuses families of datagrams. */
export const NO_UDP: Differences = {
  "v2 UDP4": { outcome: "refused", note: "rejects datagram families" },
};

/** It keeps the addresses of the socket for families of datagrams. */
export const REAL_UDP: Differences = {
  "v2 UDP4": { outcome: "real", note: "ignores datagram families" },
};

/** It refuses UNIX sockets. */
export const NO_UNIX: Differences = {
  "v2 UNIX": { outcome: "refused", note: "rejects UNIX sockets" },
};

/** It keeps the addresses of the socket for UNIX sockets. */
export const REAL_UNIX: Differences = {
  "v2 UNIX": { outcome: "real", note: "ignores UNIX sockets" },
};

/** It wants a header in one read. */
export const NO_PIECES: Differences = noPieces(
  INPUTS.filter(({ cut }) => cut !== undefined).map(({ name }) => name),
  "rejects headers in pieces",
);

/** It wants a line of v1 in one read. */
export const NO_PIECES_OF_V1: Differences = noPieces(
  ["v1 TCP4 in two pieces"],
  "rejects a line of v1 in pieces",
);

/** It wants in one read by what it tells v2 from v1. */
export const NO_PIECES_OF_SIGNATURE: Differences = noPieces(
  ["v2 TCP4 with its signature in two pieces"],
  "rejects the signature of v2 in pieces",
);

/** It refuses headers of v2 that are longer than lines of v1. */
export function atMost(length: number): Differences {
  const note = `rejects headers over ${length} bytes, also of v2`;
  return Object.fromEntries(
    INPUTS.filter(({ header }) => header.length > length)
      .map(({ name }) => [name, { outcome: "refused", note } as const]),
  );
}

/** It knows one version, and refuses the other. */
export function onlyVersion(version: 1 | 2): Differences {
  const difference = { outcome: "refused", note: `only v${version}` } as const;
  return Object.fromEntries(
    INPUTS.filter(({ name }) => !name.startsWith(`v${version} `))
      .map(({ name }) => [name, difference]),
  );
}

function noPieces(names: readonly InputName[], note: string): Differences {
  return Object.fromEntries(
    names.map((name) => [name, { outcome: "refused", note } as const]),
  );
}
