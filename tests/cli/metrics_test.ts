/** Counters of several workers, as text that real parsers read. */

import { assertEquals, assertMatch } from "@std/assert";
import { type Counts, ofEnded, sumCounts } from "../../conn/cli/counts.ts";
import { metricsText } from "../../conn/cli/metrics.ts";
import { PYTHON } from "../proof/interop/receivers/_programs.ts";

const ONE: Counts = {
  ...{ from: "0.0.0.0:443", to: "[2001:db8::1]:443" },
  ...{ accepted: 7, direct: 2, local: 1, pending: 3, active: 4, failed: 1 },
  rejected: { tlv: 2, limit: 1 },
  ...{ sent: 10, received: 20 },
};

const OTHER: Counts = { ...ONE, rejected: { tlv: 1, timeout: 5 } };

Deno.test("sumCounts() adds port by port, and leaves out who has counted nothing", () => {
  assertEquals(sumCounts([[], [ONE, OTHER], [OTHER, ONE]]), [
    {
      ...{ from: ONE.from, to: ONE.to },
      ...{
        accepted: 14,
        direct: 4,
        local: 2,
        pending: 6,
        active: 8,
        failed: 2,
      },
      rejected: { tlv: 3, limit: 1, timeout: 5 },
      ...{ sent: 20, received: 40 },
    },
    {
      ...{ from: ONE.from, to: ONE.to },
      ...{
        accepted: 14,
        direct: 4,
        local: 2,
        pending: 6,
        active: 8,
        failed: 2,
      },
      rejected: { tlv: 3, timeout: 5, limit: 1 },
      ...{ sent: 20, received: 40 },
    },
  ]);
  assertEquals(sumCounts([]), []);
  assertEquals(ofEnded([ONE]), [{ ...ONE, pending: 0, active: 0 }]);
});

/** Prints what a parser of OpenMetrics has read: families, types and values. */
const PARSER = `
import sys
from prometheus_client.openmetrics.parser import text_string_to_metric_families
for family in text_string_to_metric_families(sys.stdin.read()):
  for sample in family.samples:
    print(family.name, family.type, sample.labels["target"], int(sample.value))
`;

/** Reads text by the parser; its output, or what it says of the text. */
async function parse(text: string): Promise<string> {
  const child = new Deno.Command(PYTHON, {
    args: ["-c", PARSER],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(text)).catch(() => {});
  await writer.close().catch(() => {});
  const { stdout, stderr } = await child.output();
  const decoder = new TextDecoder();
  return decoder.decode(stdout) + decoder.decode(stderr);
}

Deno.test("metricsText() is OpenMetrics that a parser of Python reads", async () => {
  const text = metricsText([{ ...ONE, to: 'unix:"a\n\\' }], true);
  const read = await parse(text);
  if (read.includes("No module named 'prometheus_client'")) {
    if (Deno.env.get("CI")) throw new Error(read);
    console.log("skipped: no python3-prometheus-client");
    return;
  }
  const prefix = "proxy_protocol_relay_";
  const target = 'unix:"a\n\\';
  assertEquals(
    read,
    [
      ["accepted counter", 7],
      ["direct counter", 2],
      ["local counter", 1],
      ["rejected counter", 2],
      ["rejected counter", 1],
      ["failed counter", 1],
      ["pending gauge", 3],
      ["active gauge", 4],
      ["payload_bytes counter", 10],
      ["payload_bytes counter", 20],
    ].map(([name, value]) => `${prefix}${name} ${target} ${value}\n`)
      .join(""),
  );
  assertMatch(await parse(text.replace("# EOF\n", "")), /Missing # EOF/);
});
