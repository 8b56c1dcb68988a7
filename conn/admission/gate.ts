import {
  type Address,
  type ProxyInfo,
  ProxyProtocolError,
} from "../../codec/mod.ts";
import { type Policy, readOptions } from "./policy.ts";
import { tell } from "./tell.ts";
import { Waits } from "./waits.ts";
import type { ListenerOptions, ListenerStats } from "../types.ts";

/**
 * Counts, bounds and reports what a listener lets in: the same for every
 * runtime.
 */
export class Gate {
  readonly policy: Policy;
  /** Of all whose header is pending. */
  readonly waits: Waits;
  readonly stats: ListenerStats = {
    accepted: 0,
    direct: 0,
    local: 0,
    pending: 0,
    rejected: {},
  };

  /** Reads the options of a listener; throws like {@link readOptions}. */
  constructor(options: ListenerOptions) {
    this.policy = readOptions(options);
    // The connections that are waited for keep the process alive.
    this.waits = new Waits(this.policy, false);
  }

  /** Begins to wait for a header; false, and reported, when too many are pending. */
  enter(hop: Address): boolean {
    const { stats, policy } = this;
    if (stats.pending < policy.maxPending) {
      stats.pending++;
      return true;
    }
    this.report(
      new ProxyProtocolError(
        `Cannot accept the connection: ${stats.pending} headers are pending`,
        "overload",
        { hop },
      ),
    );
    return false;
  }

  /** Ends the wait: the connection is let in. */
  accept(info: ProxyInfo | undefined): void {
    this.stats.pending--;
    this.stats.accepted++;
    if (info === undefined) this.stats.direct++;
    if (info?.command === "LOCAL") this.stats.local++;
  }

  /** Ends the wait: the connection is refused. */
  refuse(error: ProxyProtocolError): void {
    this.stats.pending--;
    this.report(error);
  }

  /** Counts a refusal and reports it, unless nothing was sent at all. */
  report(error: ProxyProtocolError): void {
    const { rejected } = this.stats;
    rejected[error.code] = (rejected[error.code] ?? 0) + 1;
    if (error.code === "empty") return;
    tell(() => this.policy.onReject?.(error));
  }
}
