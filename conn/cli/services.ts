/** Ports that are relayed to services, by this process. */

import { formatAddress, type ProxyProtocolError } from "../../codec/mod.ts";
import { endsOf } from "../_ends.ts";
import type { RelayOptions, RelayResult } from "../sending/types.ts";
import { trustList } from "../admission/trust.ts";
import type { Trust } from "../types.ts";
import type { Ended, Ending } from "./conn_log.ts";
import type { Counts } from "./counts.ts";
import { attempt, reasonOf } from "./io.ts";
import { loadRuntime } from "./load_runtime.ts";
import type { HostPort } from "./read_text.ts";
import type { Client, PortOptions, Runtime, Serving } from "./runtime.ts";
import type { TrustFile } from "./trust_file.ts";

/** How long a connection may be silent before the first probe of TCP, in ms. */
const KEEP_ALIVE = 60_000;

/** A port and its service. */
export interface Mapping {
  /** Where to listen. */
  from: HostPort;
  /** The service. */
  to: HostPort;
}

/** How to relay. */
export interface ServicesOptions {
  maps: readonly Mapping[];
  /** How headers are received. */
  listening: PortOptions;
  /** How connections are passed on. */
  relaying: RelayOptions;
  /** Peers that are trusted as well as those of `listening`. */
  trustFile: TrustFile | undefined;
  /** How many connections are relayed at once. */
  maxConnections: number;
  reusePort: boolean;
}

/** Hears of connections. */
export interface Reporter {
  /** One was rejected; `target` is where it would have been relayed to. */
  rejected(error: ProxyProtocolError, target: string): void;
  /** One has ended. */
  ended(ended: Ended): Promise<void>;
  /** Something else is to be said. */
  say(line: string): Promise<void>;
}

/** Ports that are being relayed, by this process or by others. */
export interface Services {
  /** The ports and their services. */
  readonly ports: readonly Pick<Counts, "from" | "to">[];
  /** Counters so far. */
  counts(): Promise<readonly Counts[]>;
  /** Reads the trust file again, if there is one. */
  reload(): Promise<void>;
  /** Stops listening, and lets connections end for so many seconds. */
  drain(grace: number): Promise<void>;
  /** Ends everything at once. */
  close(): void;
  /** Rejects when relaying cannot continue. */
  readonly failed: Promise<never>;
}

/** Begins to relay. */
export async function startServices(
  options: ServicesOptions,
  reporter: Reporter,
): Promise<Services> {
  const runtime = await loadRuntime();
  const { trustFile } = options;
  const stopping = new AbortController();
  const closing = new AbortController();
  const state: State = {
    options,
    reporter,
    stopping: stopping.signal,
    closing: closing.signal,
    running: new Set(),
    active: 0,
  };
  const ports: Port[] = [];
  const watching = trustFile?.watch((line) => void reporter.say(line));
  const stop = () => {
    watching?.stop();
    stopping.abort(); // closes connections whose header has not arrived
    for (const port of ports) port.close();
  };
  const close = () => {
    stop();
    closing.abort();
  };
  try {
    for (const mapping of options.maps) {
      ports.push(
        await attempt(
          `listen on ${showHost(mapping.from)}`,
          () => openPort(runtime, mapping, state),
        ),
      );
    }
  } catch (error) {
    close();
    throw error;
  }
  return {
    ports,
    counts: () => Promise.resolve(ports.map((port) => port.counts())),
    async reload() {
      if (trustFile) await reporter.say(await trustFile.reload());
    },
    async drain(grace) {
      stop();
      const timer = setTimeout(() => closing.abort(), grace * 1000);
      await Promise.all(state.running);
      clearTimeout(timer);
    },
    close,
    failed: new Promise(() => {}),
  };
}

/** What all ports share. */
interface State {
  readonly options: ServicesOptions;
  readonly reporter: Reporter;
  readonly stopping: AbortSignal;
  readonly closing: AbortSignal;
  /** With the lines that are still to be written of them. */
  readonly running: Set<Promise<void>>;
  /** Connections that are being relayed. */
  active: number;
}

/** One port that is being relayed. */
interface Port extends Pick<Counts, "from" | "to"> {
  counts(): Counts;
  close(): void;
}

async function openPort(
  runtime: Runtime,
  { from: where, to }: Mapping,
  state: State,
): Promise<Port> {
  const { options, reporter, stopping, closing, running } = state;
  const { relaying, maxConnections, reusePort } = options;
  const target = showHost(to);
  const own = { limit: 0, active: 0, failed: 0, sent: 0, received: 0 };
  const report = (
    client: Client,
    begin: Begin,
    ended: Ending,
    result: Result,
  ) =>
    reporter.ended({
      time: begin.time,
      client: formatAddress(endsOf(client.info)?.remoteAddr ?? client.hop),
      hop: formatAddress(client.hop),
      target,
      sent: result.sent,
      received: result.received,
      duration: Math.round(performance.now() - begin.at) / 1000,
      ended,
      ...(result.reason !== undefined && { reason: result.reason }),
    });
  const relay = async (client: Client) => {
    const begin = { time: new Date().toISOString(), at: performance.now() };
    if (state.active >= maxConnections) {
      own.limit++;
      client.close();
      await report(client, begin, "limit", {
        ...NOTHING,
        reason: `more than ${maxConnections} connections`,
      });
      return;
    }
    own.active++;
    state.active++;
    const { sent, received, error } = await client.relay(to, {
      ...relaying,
      signal: closing,
    });
    own.active--;
    state.active--;
    own.sent += sent;
    own.received += received;
    const ended = endingOf(error, closing);
    if (ended === "failed" || ended === "grace") own.failed++;
    const reason = ended === "failed" ? { reason: reasonOf(error) } : {};
    await report(client, begin, ended, { sent, received, ...reason });
  };
  const serving = await runtime.serve({
    where,
    reusePort,
    keepAlive: KEEP_ALIVE,
    options: {
      ...options.listening,
      trust: trustOf(options),
      signal: stopping,
      onReject: (error) => reporter.rejected(error, target),
    },
  }, (client) => {
    // Awaited in the end, so that the last lines are out before the program ends.
    const done = relay(client).finally(() => running.delete(done));
    running.add(done);
  });
  const from = formatAddress(serving.addr);
  return {
    from,
    to: target,
    counts: () => ({ from, to: target, ...countsOf(serving, own) }),
    close: () => serving.close(),
  };
}

/** Trusts the peers of the options, and those of the file. */
function trustOf({ listening, trustFile }: ServicesOptions): Trust {
  const { trust } = listening;
  if (trustFile === undefined || !Array.isArray(trust)) return trust;
  const isListed = trustList(trust);
  return (hop) => isListed(hop) || trustFile.trusts(hop);
}

/** When a connection was accepted, by both clocks. */
interface Begin {
  time: string;
  at: number;
}

interface Result extends Pick<RelayResult, "sent" | "received"> {
  reason?: string;
}

const NOTHING = { sent: 0, received: 0 };

function endingOf(error: unknown, closing: AbortSignal): Ending {
  if (error === undefined) return "closed";
  if (closing.aborted) return "grace";
  const isIdle = error instanceof Error && error.name === "TimeoutError";
  return isIdle ? "idle" : "failed";
}

function countsOf(
  { stats }: Serving,
  { limit, ...own }: {
    limit: number;
    active: number;
    failed: number;
    sent: number;
    received: number;
  },
): Omit<Counts, "from" | "to"> {
  return {
    ...stats,
    accepted: stats.accepted - limit,
    rejected: { ...stats.rejected, ...(limit > 0 && { limit }) },
    ...own,
  };
}

/** A host and a port as text. */
export function showHost({ hostname, port }: HostPort): string {
  return formatAddress({ transport: "tcp", hostname, port });
}
