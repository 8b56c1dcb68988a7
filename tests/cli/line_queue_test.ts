/** Lines of a log, in their order and not without a bound. */

import { assertEquals } from "@std/assert";
import { lineQueue } from "../../conn/cli/line_queue.ts";
import { readLines } from "../../conn/cli/read_lines.ts";

Deno.test("lineQueue() writes what waits as one text, and says how much it left out", async () => {
  const texts: string[] = [];
  const gaps: number[] = [];
  const { promise: isRead, resolve: read } = Promise.withResolvers<void>();
  const queue = lineQueue((text) => {
    texts.push(text);
    return isRead;
  }, (count) => gaps.push(count));
  const written = queue("0");
  for (let i = 1; i <= 16_386; i++) queue(`${i}`);
  assertEquals([texts, gaps], [["0"], []]);
  read();
  await written;
  assertEquals(gaps, [2]);
  assertEquals(texts.length, 2);
  assertEquals(
    texts[1],
    Array.from({ length: 16_384 }, (_, i) => i + 1).join("\n"),
  );
  await queue("again");
  assertEquals(texts[2], "again");
});

Deno.test("readLines() joins lines that come in parts", async () => {
  const chunks = ReadableStream.from(
    ["a\nb", "é".slice(0, 1), "\n", "", "\nlast"].map((text) =>
      new TextEncoder().encode(text)
    ),
  );
  assertEquals(await Array.fromAsync(readLines(chunks)), [
    "a",
    "bé",
    "",
    "last",
  ]);
});
