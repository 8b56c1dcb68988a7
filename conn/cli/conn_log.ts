/** One line for each connection of `relay`. */

import { toJson } from "./show.ts";

/**
 * Why a connection has ended:
 *
 * - `closed`: both ends have closed it.
 * - `idle`: there was no traffic for `--idle-timeout`.
 * - `grace`: the time of `--grace` had passed.
 * - `limit`: `--max-connections` were already open.
 * - `failed`: an end was reset, or the target could not be reached.
 * - `rejected`: its header was rejected.
 */
export type Ending =
  | "closed"
  | "idle"
  | "grace"
  | "limit"
  | "failed"
  | "rejected";

/** A connection that has ended. */
export interface Ended {
  /** When it was accepted or rejected, as ISO 8601. */
  time: string;
  /** The client; absent for one that was rejected. */
  client?: string;
  /** The peer. */
  hop: string;
  target: string;
  /** Bytes of payload to the target. */
  sent: number;
  /** Bytes of payload to the client. */
  received: number;
  /** In seconds. */
  duration: number;
  ended: Ending;
  /** Of one that was rejected. */
  code?: string;
  /** Of a failure and a rejection, in words. */
  reason?: string;
}

/** A form of lines. */
export type LogForm = "text" | "json";

/** Makes a line in each form. */
export const LOG_FORMS: Readonly<Record<LogForm, (ended: Ended) => string>> = {
  json: (ended) => toJson(ended),
  text(one) {
    const { time, client = "-", hop, target, sent, received, duration } = one;
    const { ended, reason } = one;
    return `${time} ${client} by ${hop} to ${target} sent ${sent} received ${received} in ${duration} s ${ended}${
      reason === undefined ? "" : `: ${reason}`
    }`;
  },
};
