/** Headers of ours that real systems read; `INTEROP=all` takes all of them. */

import { assertEquals } from "@std/assert";
import { isMissing, record, type Row } from "./_system.ts";
import { missing, receivers, rowsOf } from "./receivers/mod.ts";

const isAll = Deno.env.get("INTEROP") === "all";

/** What is to come of a row, as a sentence. */
function sentence({ system, input, expected }: Row): string {
  if (expected === "refused") {
    return `encode() of ${input} is refused by ${system}`;
  }
  if (expected === "real") {
    return `encode() of ${input} leaves ${system} with the real address`;
  }
  return `encode() of ${input} is read by ${system}`;
}

for (const receiver of receivers) {
  if (!receiver.isCheap && !isAll) continue;
  Deno.test({
    name: `encode() is read by ${receiver.name}`,
    ignore: isMissing(...missing(receiver)) ||
      receiver.needsRoot && Deno.uid() !== 0,
    async fn(t) {
      for await (const row of rowsOf(receiver)) {
        record(row);
        await t.step(
          sentence(row),
          () => assertEquals(row.seen, row.expected),
        );
      }
    },
  });
}
