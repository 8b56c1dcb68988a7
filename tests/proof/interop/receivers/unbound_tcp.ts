/** @module */

import type { Receiver } from "./_receiver.ts";
import { unbound } from "./_unbound.ts";

/** unbound over TCP: its answer. */
export const receiver: Receiver = unbound("TCP");
