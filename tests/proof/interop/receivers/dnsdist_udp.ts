/** @module */

import { dnsdist } from "./_dnsdist.ts";
import type { Receiver } from "./_receiver.ts";

/** dnsdist over UDP: its answer. */
export const receiver: Receiver = dnsdist("UDP");
