/** The page of the systems shows the rows that are kept. */

import { assertEquals } from "@std/assert";
import {
  MATRIX,
  PAGE,
  replaceTables,
  type Tested,
  toMarkdown,
} from "./_matrix.ts";

/** A page without the spaces and dashes that only align its tables. */
function unaligned(page: string): string {
  return page.replaceAll(/ +/g, " ").replaceAll(/-{2,}/g, "-");
}

Deno.test("README.md has the tables that matrix.json makes", async () => {
  const rows: Tested[] = JSON.parse(await Deno.readTextFile(MATRIX));
  const page = await Deno.readTextFile(PAGE);
  assertEquals(
    unaligned(page),
    unaligned(replaceTables(page, toMarkdown(rows))),
  );
});
