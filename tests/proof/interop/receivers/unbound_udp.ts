/** @module */

import type { Receiver } from "./_receiver.ts";
import { unbound } from "./_unbound.ts";

/** unbound over UDP: its answer. */
export const receiver: Receiver = unbound("UDP");
