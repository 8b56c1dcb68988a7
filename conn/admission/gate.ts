import type { ProxyInfo, ProxyProtocolError } from "../../codec/mod.ts";
import type { ListenerStats } from "../types.ts";
import { type Clock, SYSTEM_CLOCK } from "./clock.ts";
import type { Policy } from "./policy.ts";
import { overloadError } from "./refusal.ts";
import { tell } from "./tell.ts";
import { Waits } from "./waits.ts";

/** Counts, bounds and reports the connections of a listener, or a single one. */
export class Gate<C> {
  readonly policy: Policy<C>;
  /** Of all whose header is pending. */
  readonly waits: Waits;
  readonly stats: ListenerStats = {
    accepted: 0,
    direct: 0,
    local: 0,
    pending: 0,
    rejected: {},
  };

  /** Unless `keepsAlive`, the process may end while headers are pending. */
  constructor(policy: Policy<C>, keepsAlive: boolean, clock?: Clock) {
    this.policy = policy;
    this.waits = new Waits(policy, keepsAlive, clock ?? SYSTEM_CLOCK);
  }

  /** Begins to count a connection as pending. */
  enter(): void {
    this.stats.pending++;
  }

  /**
   * Rejects the connection that has waited longest, when there are more than
   * `maxPending`: silent peers keep nobody out. An honest one waits least.
   */
  makeRoom(): void {
    const { stats, policy: { maxPending }, waits } = this;
    const { oldest } = waits;
    if (stats.pending <= maxPending || oldest === undefined) return;
    waits.end(oldest);
    oldest.reject(overloadError(maxPending));
  }

  /** Ends the wait: the connection is let in. */
  accept(info: ProxyInfo | undefined): void {
    this.stats.pending--;
    this.stats.accepted++;
    if (info === undefined) this.stats.direct++;
    if (info?.command === "LOCAL") this.stats.local++;
  }

  /** Ends the wait: the connection is rejected. */
  refuse(error: ProxyProtocolError): void {
    this.stats.pending--;
    this.report(error);
  }

  /** Counts a rejection and reports it, unless nothing was sent at all. */
  report(error: ProxyProtocolError): void {
    const { rejected } = this.stats;
    rejected[error.code] = (rejected[error.code] ?? 0) + 1;
    if (error.code === "empty") return;
    tell("onReject", () => this.policy.onReject?.(error));
  }
}
