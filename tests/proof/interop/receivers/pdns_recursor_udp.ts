/** @module */

import { pdnsRecursor } from "./_pdns_recursor.ts";
import type { Receiver } from "./_receiver.ts";

/** The recursor of PowerDNS over UDP: its answer. */
export const receiver: Receiver = pdnsRecursor("UDP");
