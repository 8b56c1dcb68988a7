import type { Counts } from "./counts.ts";
import { aborted, attempt, type CliIo, print, warn } from "./io.ts";
import type { HostPort } from "./read_text.ts";
import type { Services } from "./services.ts";
import { count, toJson } from "./show.ts";
import {
  serveHealth,
  serveMetrics,
  type StatusServer,
} from "./status_server.ts";

/** How to watch what is relayed, and when to end. */
export interface RunOptions {
  /** Longest time in seconds that connections may stay open after the signal to stop. */
  grace: number;
  /** Interval in s to print counters. 0 for only at the end, `undefined` for never. */
  stats: number | undefined;
  /** Where to serve health. */
  health: HostPort | undefined;
  /** Where to serve counters. */
  metrics: HostPort | undefined;
}

/** Relays until the signal to stop, and then until connections have ended. */
export async function runServices(
  io: CliIo,
  services: Services,
  { grace, stats, health, metrics }: RunOptions,
): Promise<void> {
  const stopped = io.stop();
  const pages: StatusServer[] = [];
  const tell = async () =>
    print(io, statsJson(await services.counts())).catch(() =>
      clearInterval(telling)
    );
  let telling: ReturnType<typeof setInterval> | undefined;
  try {
    for (const { from, to } of services.ports) {
      await warn(io, `Relaying ${from} to ${to}`);
    }
    if (health) {
      const page = await attempt(
        "serve --health",
        () => serveHealth(health, () => !stopped.aborted),
      );
      pages.push(page);
      await warn(io, `Health at ${page.url}`);
    }
    if (metrics) {
      const page = await attempt(
        "serve --metrics",
        () => serveMetrics(metrics, () => services.counts()),
      );
      pages.push(page);
      await warn(io, `Metrics at ${page.url}`);
    }
    io.onReload?.(() => void services.reload());
    if (stats) telling = setInterval(tell, stats * 1000);
    await Promise.race([aborted(stopped), services.failed]);
    const open = (await services.counts())
      .reduce((sum, { active }) => sum + active, 0);
    // Together, so that listening ends even if nobody reads the line.
    await Promise.all([
      warn(io, `Stopping, ${count(open, "connection")} open`),
      services.drain(grace),
    ]);
  } finally {
    clearInterval(telling);
    services.close();
    for (const page of pages) page.close();
  }
  if (stats !== undefined) await tell();
}

function statsJson(maps: readonly Counts[]): string {
  return toJson({ time: new Date().toISOString(), maps });
}
