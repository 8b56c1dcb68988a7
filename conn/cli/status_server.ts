/** Pages of a running `relay` for monitoring: its health and its counters. */

import { createServer, type Server } from "node:http";
import type { Counts } from "./counts.ts";
import { metricsText, OPEN_METRICS_TYPE, PROMETHEUS_TYPE } from "./metrics.ts";
import type { HostPort } from "./read_text.ts";

/** What a page says. */
interface Page {
  status: number;
  type: string;
  text: string;
}

/** A page that is served, at each path. */
export interface StatusServer {
  /** Its address. */
  readonly url: string;
  close(): void;
}

/** Serves 200 while `isListening`, then 503. */
export function serveHealth(
  where: HostPort,
  isListening: () => boolean,
): Promise<StatusServer> {
  return serve(where, () => {
    const [status, text] = isListening()
      ? [200, "listening\n"]
      : [503, "draining\n"];
    return Promise.resolve({ status, type: "text/plain", text });
  });
}

/** Serves counters, in the format that is asked for. */
export function serveMetrics(
  where: HostPort,
  counts: () => Promise<readonly Counts[]>,
): Promise<StatusServer> {
  return serve(where, async (accept) => {
    const isOpenMetrics = accept.includes("application/openmetrics-text");
    return {
      status: 200,
      type: isOpenMetrics ? OPEN_METRICS_TYPE : PROMETHEUS_TYPE,
      text: metricsText(await counts(), isOpenMetrics),
    };
  });
}

async function serve(
  { hostname, port }: HostPort,
  pageFor: (accept: string) => Promise<Page>,
): Promise<StatusServer> {
  const server = createServer(async (request, response) => {
    const { status, type, text } = await pageFor(request.headers.accept ?? "");
    response.writeHead(status, {
      "Content-Type": type,
      "Cache-Control": "no-store",
    });
    response.end(text);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, hostname, resolve);
  });
  return {
    url: `http://${hostOf(hostname)}:${portOf(server)}/`,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

function hostOf(hostname: string): string {
  return hostname.includes(":") ? `[${hostname}]` : hostname;
}

function portOf(server: Server): number | undefined {
  const address = server.address();
  return typeof address === "object" ? address?.port : undefined;
}
