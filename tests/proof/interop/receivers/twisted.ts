/** @module */

import {
  NO_CHECKSUM,
  NO_PIECES_OF_SIGNATURE,
  NO_SHORT_UNKNOWN,
} from "./_differences.ts";
import { beside, PYTHON, versionOf } from "./_programs.ts";
import type { Receiver } from "./_receiver.ts";
import { startPlan } from "./_start.ts";

/** Twisted: what its transport shows to a protocol. */
export const receiver: Receiver = {
  name: "Twisted",
  isCheap: false,
  needsRoot: false,
  packages: ["python3-twisted"],
  programs: [PYTHON, "twistd3"],
  tells: ["src", "sport", "dst", "dport"],
  differs: { ...NO_PIECES_OF_SIGNATURE, ...NO_CHECKSUM, ...NO_SHORT_UNKNOWN },
  version: () => versionOf("twistd3", "--version"),
  start: () =>
    startPlan({
      configure: ({ port }) =>
        Promise.resolve({
          program: PYTHON,
          args: [beside("_twisted.py"), String(port)],
        }),
    }),
};
