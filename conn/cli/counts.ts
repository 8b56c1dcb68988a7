/** Counts of one port of `relay`. */
export interface Counts {
  /** Where it listens. */
  from: string;
  /** The target. */
  to: string;
  /** Connections that were accepted. */
  accepted: number;
  /** Those of them without a header. */
  direct: number;
  /** Those of them that are the proxy's own. */
  local: number;
  /** Connections that wait for their header. */
  pending: number;
  /** Connections that were rejected, by code; `limit` is that of --max-connections. */
  rejected: Record<string, number>;
  /** Connections that are being relayed. */
  active: number;
  /** Connections that have ended by a failure. */
  failed: number;
  /** Bytes from clients to the target, of connections that have ended. */
  sent: number;
  /** Bytes from the target to clients, of connections that have ended. */
  received: number;
}

/** Adds the counts of workers for each port. Each worker has all ports, or no counts. */
export function sumCounts(all: readonly (readonly Counts[])[]): Counts[] {
  const [first = [], ...rest] = all.filter((counts) => counts.length > 0);
  return first.map((counts, i) =>
    rest.reduce<Counts>((sum, { [i]: one }) => one ? add(sum, one) : sum, {
      ...counts,
    })
  );
}

function add(sum: Counts, one: Counts): Counts {
  const rejected = { ...sum.rejected };
  for (const [code, count] of Object.entries(one.rejected)) {
    rejected[code] = (rejected[code] ?? 0) + count;
  }
  return {
    from: sum.from,
    to: sum.to,
    accepted: sum.accepted + one.accepted,
    direct: sum.direct + one.direct,
    local: sum.local + one.local,
    pending: sum.pending + one.pending,
    rejected,
    active: sum.active + one.active,
    failed: sum.failed + one.failed,
    sent: sum.sent + one.sent,
    received: sum.received + one.received,
  };
}

/** Returns the final counts of an ended worker, which has no open connections. */
export function ofEnded(counts: readonly Counts[]): Counts[] {
  return counts.map((one) => ({ ...one, pending: 0, active: 0 }));
}
