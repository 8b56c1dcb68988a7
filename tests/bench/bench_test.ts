import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { chart } from "./chart.ts";
import { codecRows } from "./codec_rows.ts";
import { disturbance } from "./machine.ts";
import { isMissed, type Row, rowsTable } from "./row.ts";
import { spreadOf } from "./spread.ts";

const ROW: Row = {
  work: "decode <v2>",
  beside: "baseline",
  ours: 150,
  other: 100,
  unit: "ns",
  ratio: { low: 1.4, median: 1.5, high: 1.6 },
  mark: { most: 1.4 },
};

const MACHINE = {
  cpu: "a CPU",
  cores: 2,
  memory: 8,
  system: "Linux",
  runtime: "deno 2.9.6",
  date: "2026-11-27T00:00:00.000Z",
  busy: 0.01,
  load: 0.1,
};

Deno.test("spreadOf() gives quartiles, between values too", () => {
  assertEquals(spreadOf([5, 1, 4, 2, 3]), { low: 2, median: 3, high: 4 });
  assertEquals(spreadOf([1, 2]), { low: 1.25, median: 1.5, high: 1.75 });
  assertEquals(spreadOf([7]), { low: 7, median: 7, high: 7 });
});

Deno.test("a row is missed on the wrong side of its mark, and if it is no number", () => {
  const at = (median: number, mark: NonNullable<Row["mark"]>) =>
    isMissed({ ...ROW, ratio: { ...ROW.ratio, median }, mark });
  assertEquals(at(1.41, { most: 1.4 }), true);
  assertEquals(at(1.4, { most: 1.4 }), false);
  assertEquals(at(1.29, { least: 1.3 }), true);
  assertEquals(at(1.3, { least: 1.3 }), false);
  assertEquals(at(NaN, { least: 1.3 }), true);
  assertMatch(rowsTable([ROW]), /1\.50 \| 1\.40-1\.60 \| <= 1\.4 missed/);
});

Deno.test("codecRows() joins processes and takes the fastest package", () => {
  const samples = (ours: number[]) => [{
    work: "decode",
    times: { ours, baseline: [10, 10], slow: [90, 90], fast: [30, 30] },
    marks: { floor: 1.2, bun: 1.5 },
  }];
  const [baseline, fastest] = codecRows(
    [samples([10, 20]), samples([30, 40])],
    true,
  );
  assertEquals(baseline?.ours, 25);
  assertEquals(baseline?.ratio.median, 2.5);
  assertEquals(baseline?.mark, { most: 1.5 });
  assertEquals([fastest?.beside, fastest?.other], ["fast", 30]);
  assertEquals(fastest?.ratio.high, 1.875);
});

Deno.test("a machine on which others run is not quiet", () => {
  assertEquals(disturbance(MACHINE), undefined);
  assertStringIncludes(disturbance({ ...MACHINE, busy: 0.5 }) ?? "", "50 %");
  assertStringIncludes(disturbance({ ...MACHINE, load: 3 }) ?? "", "load 3.0");
});

Deno.test("chart() draws each row and escapes its text", () => {
  const svg = chart([{ machine: MACHINE, rows: [ROW, { ...ROW, work: "b" }] }]);
  assertEquals(svg.match(/<rect/g)?.length, 2);
  assertStringIncludes(svg, "decode &lt;v2>, beside baseline");
  assertStringIncludes(svg, 'class="bar missed"');
});

for (const args of [["--nope"], ["nope"], ["--write", "http"]]) {
  Deno.test(`bench.ts refuses ${args.join(" ")}, and says what it takes`, async () => {
    const { code, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "bench.ts", ...args],
    }).output();
    assertEquals(code, 2);
    assertStringIncludes(new TextDecoder().decode(stderr), "\nUsage: bench.ts");
  });
}
