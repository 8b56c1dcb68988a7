/**
 * Measures the codec on the runtime that runs this, beside floors and the
 * libraries of npm, and connections: `deno task bench`, `bun bench.ts`,
 * `node bench.ts`. Ratios of medians within one run; `--quick` takes a tenth of
 * the time and shows no more than that everything runs.
 *
 * @module
 */

import process from "node:process";
import { type CodecRow, codecRows } from "./tests/bench/codec.ts";
import { FULL, QUICK } from "./tests/bench/measure.ts";
import { loadPeers } from "./tests/bench/peers.ts";
import { table } from "./tests/bench/table.ts";

const options = process.argv.slice(2);
const isQuick = options.includes("--quick");
const { versions } = process;
const runtime = versions["bun"]
  ? `Bun ${versions["bun"]}`
  : versions["deno"]
  ? `Deno ${versions["deno"]}`
  : `Node ${versions.node}`;

function codecCells(row: CodecRow): string[] {
  const { work, ours, floor, ratio, most, peer, peerTime, faster, least } = row;
  return [
    work,
    ours.toFixed(0),
    floor?.toFixed(0) ?? "",
    ratio?.toFixed(2) ?? "",
    most?.toString() ?? "",
    peer === undefined ? "" : `${peer}, ${peerTime?.toFixed(0)}`,
    faster?.toFixed(1) ?? "",
    least?.toString() ?? "",
  ];
}

const rows = codecRows(
  loadPeers(),
  isQuick ? QUICK : FULL,
  versions["bun"] !== undefined,
);
const names = [
  "ns",
  "floor",
  "ratio",
  "at most",
  "fastest peer",
  "times",
  "at least",
];
console.log(table([`codec on ${runtime}`, ...names], rows.map(codecCells)));
