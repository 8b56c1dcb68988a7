/** Counters as Prometheus reads them. */

import type { Counts } from "./counts.ts";

/** A number, and the labels that it has besides those of its port. */
type Sample = readonly [labels: Readonly<Record<string, string>>, number];

interface Metric {
  /** Without the prefix, and without `_total`, which each counter has. */
  name: string;
  type: "counter" | "gauge";
  help: string;
  samples(counts: Counts): readonly Sample[];
}

const PREFIX = "proxy_protocol_relay_";

const METRICS: readonly Metric[] = [
  counter("accepted", "Connections that were accepted.", "accepted"),
  counter("direct", "Accepted connections without a header.", "direct"),
  counter("local", "Accepted connections with a LOCAL header.", "local"),
  {
    name: "rejected",
    type: "counter",
    help: "Connections that were rejected, by code.",
    samples: ({ rejected }) =>
      Object.entries(rejected).map(([code, count]) => [{ code }, count]),
  },
  counter("failed", "Relayed connections that ended by a failure.", "failed"),
  gauge("pending", "Connections that wait for their header.", "pending"),
  gauge("active", "Connections that are being relayed.", "active"),
  {
    name: "payload_bytes",
    type: "counter",
    help: "Payload of connections that have ended, in bytes.",
    samples: ({ sent, received }) => [
      [{ direction: "to_target" }, sent],
      [{ direction: "to_client" }, received],
    ],
  },
];

type Name = "accepted" | "direct" | "local" | "failed" | "pending" | "active";

function counter(name: string, help: string, of: Name): Metric {
  return { name, type: "counter", help, samples: (one) => [[{}, one[of]]] };
}

function gauge(name: string, help: string, of: Name): Metric {
  return { name, type: "gauge", help, samples: (one) => [[{}, one[of]]] };
}

/** Content types of the two formats. */
export const PROMETHEUS_TYPE = "text/plain; version=0.0.4; charset=utf-8";
export const OPEN_METRICS_TYPE =
  "application/openmetrics-text; version=1.0.0; charset=utf-8";

/** Writes counters as text of Prometheus, or of OpenMetrics. */
export function metricsText(
  all: readonly Counts[],
  isOpenMetrics: boolean,
): string {
  const lines = METRICS.flatMap(({ name, type, help, samples }) => {
    const family = `${PREFIX}${name}`;
    const sample = type === "counter" ? `${family}_total` : family;
    // There the family of a counter is named without the suffix.
    const about = isOpenMetrics ? family : sample;
    return [
      `# HELP ${about} ${help}`,
      `# TYPE ${about} ${type}`,
      ...all.flatMap((counts) =>
        samples(counts).map(([labels, value]) =>
          `${sample}${
            labelsText({ listen: counts.from, target: counts.to, ...labels })
          } ${value}`
        )
      ),
    ];
  });
  return `${[...lines, ...(isOpenMetrics ? ["# EOF"] : [])].join("\n")}\n`;
}

/** Returns labels as text. Their values are addresses and codes, rarely with quotes. */
function labelsText(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(([name, value]) =>
    `${name}="${value.replace(/[\\"\n]/g, escaped)}"`
  );
  return `{${pairs.join(",")}}`;
}

function escaped(character: string): string {
  return character === "\n" ? "\\n" : `\\${character}`;
}
