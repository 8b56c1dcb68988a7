/** Ports that are relayed to services. */

import { endsOf } from "../_ends.ts";
import type { RelayOptions } from "../sending/types.ts";
import type { GateOptions, HeaderOptions } from "../types.ts";
import type { HostPort } from "./read_text.ts";
import {
  attempt,
  boundedWarn,
  type CliIo,
  print,
  reasonOf,
  warn,
} from "./io.ts";
import { loadRuntime } from "./load_runtime.ts";
import type { Client, Runtime } from "./runtime.ts";
import { refusalText } from "./seen.ts";
import { count, showAddress, toJson } from "./show.ts";

/** A port and its service. */
export interface Mapping {
  /** Where to listen. */
  from: HostPort;
  /** The service. */
  to: HostPort;
}

/** How to relay. */
export interface ServicesOptions {
  /** How headers are taken. */
  listening: HeaderOptions & GateOptions;
  /** How they are passed on. */
  relaying: RelayOptions;
  /** How long connections may take to end when it is to stop, in seconds. */
  grace: number;
  /** How often to print counters, in seconds; 0 for only at the end, `undefined` for never. */
  stats: number | undefined;
}

/** One that runs. */
interface Service {
  /** Where it listens. */
  from: string;
  /** Connections that are being relayed. */
  readonly running: ReadonlySet<Promise<void>>;
  /** Counters so far. */
  stats(): object;
  /** Stops listening. */
  close(): void;
}

/** Relays until it is told to stop, and then until connections have ended. */
export async function runServices(
  io: CliIo,
  maps: readonly Mapping[],
  { listening, relaying, grace, stats }: ServicesOptions,
): Promise<void> {
  const runtime = await loadRuntime();
  const stopped = io.stop();
  const stopping = new AbortController();
  const closing = new AbortController();
  const services: Service[] = [];
  const report = boundedWarn(io);
  const tell = () =>
    print(io, statsJson(services)).catch(() => clearInterval(telling));
  let telling: ReturnType<typeof setInterval> | undefined;
  try {
    for (const mapping of maps) {
      const service = await attempt(
        `listen on ${hostPort(mapping.from)}`,
        () =>
          start(
            runtime,
            report,
            mapping,
            { ...listening, signal: stopping.signal },
            { ...relaying, signal: closing.signal },
          ),
      );
      services.push(service);
      await warn(io, `Relaying ${service.from} to ${hostPort(mapping.to)}`);
    }
    if (stats) telling = setInterval(tell, stats * 1000);
    await aborted(stopped);
    const open = services.reduce((sum, { running }) => sum + running.size, 0);
    // Together: where nobody reads the line, listening is to end all the same.
    await Promise.all([
      report(`Stopping, ${count(open, "connection")} open`),
      drain(services, stopping, grace, closing),
    ]);
  } finally {
    clearInterval(telling);
    stopping.abort();
    for (const service of services) service.close();
    closing.abort();
  }
  if (stats !== undefined) await tell();
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) =>
    signal.addEventListener("abort", () => resolve())
  );
}

function hostPort({ hostname, port }: HostPort): string {
  return showAddress({ transport: "tcp", hostname, port });
}

/** Serves one port. */
async function start(
  runtime: Runtime,
  report: (line: string) => Promise<void>,
  { from, to }: Mapping,
  listening: HeaderOptions & GateOptions,
  relaying: RelayOptions,
): Promise<Service> {
  const counts = { failed: 0, sent: 0, received: 0 };
  const running = new Set<Promise<void>>();
  const relay = async (client: Client) => {
    const { sent, received, error } = await client.relay(to, relaying);
    counts.sent += sent;
    counts.received += received;
    const isClosedByUs = relaying.signal?.aborted;
    if (error === undefined && !isClosedByUs) return;
    counts.failed++;
    const { remoteAddr } = endsOf(client.info) ?? { remoteAddr: client.hop };
    const reason = isClosedByUs
      ? "closed at the end of --grace"
      : reasonOf(error);
    // Awaited, so that the last lines are out before the program ends.
    await report(
      `Cannot relay ${showAddress(remoteAddr)} to ${hostPort(to)}: ${reason}`,
    );
  };
  const serving = await runtime.serve(from, {
    ...listening,
    onReject: (error) =>
      void report(
        `Refused ${error.hop ? showAddress(error.hop) : "a connection"} ${
          refusalText(error)
        }`,
      ),
  }, (client) => {
    const done = relay(client).finally(() => running.delete(done));
    running.add(done);
  });
  const where = showAddress(serving.addr);
  return {
    from: where,
    running,
    stats: () => ({
      from: where,
      to: hostPort(to),
      ...serving.stats,
      active: running.size,
      ...counts,
    }),
    close: () => serving.close(),
  };
}

function statsJson(services: readonly Service[]): string {
  return toJson({
    time: new Date().toISOString(),
    maps: services.map((service) => service.stats()),
  });
}

/** Lets connections end, and closes them after `grace` seconds. */
async function drain(
  services: readonly Service[],
  stopping: AbortController,
  grace: number,
  closing: AbortController,
): Promise<void> {
  stopping.abort(); // closes those whose header has not come
  for (const service of services) service.close();
  const timer = setTimeout(() => closing.abort(), grace * 1000);
  await Promise.all(services.flatMap(({ running }) => [...running]));
  clearTimeout(timer);
}
