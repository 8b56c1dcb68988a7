/** Ports that are relayed to services. */

import { formatAddress } from "../../codec/mod.ts";
import { toAddress } from "../_ends.ts";
import { proxied, type ProxiedListener } from "../proxied.ts";
import type { ProxiedConn } from "../proxied_conn.ts";
import { relay, type RelayOptions } from "../relay.ts";
import { serve, type Server } from "../serve.ts";
import type { ListenerOptions } from "../types.ts";
import type { HostPort } from "./read_text.ts";
import {
  attempt,
  boundedWarn,
  type CliIo,
  print,
  reasonOf,
  warn,
} from "./io.ts";
import { refusalText } from "./seen.ts";
import { count, toJson } from "./show.ts";

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
  listening: ListenerOptions;
  /** How they are passed on. */
  relaying: RelayOptions;
  /** How long connections may take to end when it is to stop, in seconds. */
  grace: number;
  /** How often to print counters, in seconds; 0 for only at the end, `undefined` for never. */
  stats: number | undefined;
}

/** One that runs. */
interface Service {
  server: Server;
  /** Counters so far. */
  stats(): object;
}

/** Relays until it is told to stop, and then until connections have ended. */
export async function runServices(
  io: CliIo,
  maps: readonly Mapping[],
  { listening, relaying, grace, stats }: ServicesOptions,
): Promise<void> {
  using opened = new DisposableStack();
  const stopping = io.stop();
  const closing = new AbortController();
  const services: Service[] = [];
  const report = boundedWarn(io);
  for (const mapping of maps) {
    const tcp = await attempt(
      `listen on ${hostPort(mapping.from)}`,
      () => Deno.listen(mapping.from),
    );
    const listener = proxied(tcp, {
      ...listening,
      onReject: (error) =>
        void report(
          `Refused ${error.hop ? formatAddress(error.hop) : "a connection"} ${
            refusalText(error)
          }`,
        ),
    });
    opened.use(listener);
    services.push(start(report, listener, mapping.to, {
      ...relaying,
      signal: closing.signal,
    }));
    await warn(
      io,
      `Relaying ${formatAddress(toAddress(listener.addr))} to ${
        hostPort(mapping.to)
      }`,
    );
  }
  const tell = () =>
    print(io, statsJson(services)).catch(() => clearInterval(telling));
  const telling = stats ? setInterval(tell, stats * 1000) : undefined;
  try {
    const { promise: stopped, resolve } = Promise.withResolvers<void>();
    stopping.addEventListener("abort", () => resolve());
    if (stopping.aborted) resolve();
    await Promise.race([
      stopped,
      ...services.map(({ server }) => server.finished),
    ]);
    const open = services.reduce((sum, { server }) => sum + server.active, 0);
    // Together: where nobody reads the line, listening is to end all the same.
    await Promise.all([
      report(`Stopping, ${count(open, "connection")} open`),
      drain(services, grace, closing),
    ]);
  } finally {
    clearInterval(telling);
    closing.abort();
  }
  if (stats !== undefined) await tell();
}

function hostPort({ hostname, port }: HostPort): string {
  return formatAddress({ transport: "tcp", hostname, port });
}

/** Serves one port. */
function start(
  report: (line: string) => Promise<void>,
  listener: ProxiedListener<Deno.TcpConn, Deno.NetAddr>,
  to: HostPort,
  options: RelayOptions,
): Service {
  const counts = { failed: 0, sent: 0, received: 0 };
  // Awaited, so that the last lines are out before the program ends.
  const fail = (conn: ProxiedConn, reason: string) => {
    counts.failed++;
    const client = formatAddress(conn.remoteAddr);
    return report(`Cannot relay ${client} to ${hostPort(to)}: ${reason}`);
  };
  const server = serve(listener, async (conn) => {
    const dial = () => Deno.connect(to);
    const { sent, received, error } = await relay(conn, dial, options);
    counts.sent += sent;
    counts.received += received;
    if (options.signal?.aborted) {
      await fail(conn, "closed at the end of --grace");
    } else if (error !== undefined) {
      await fail(conn, reasonOf(error));
    }
  }, { onError: (error, conn) => void fail(conn, reasonOf(error)) });
  const from = formatAddress(toAddress(listener.addr));
  return {
    server,
    stats: () => ({
      from,
      to: hostPort(to),
      ...listener.stats,
      active: server.active,
      ...counts,
    }),
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
  grace: number,
  closing: AbortController,
): Promise<void> {
  const ended = Promise.all(services.map(({ server }) => server.shutdown()));
  const timer = setTimeout(() => closing.abort(), grace * 1000);
  await ended;
  clearTimeout(timer);
}
