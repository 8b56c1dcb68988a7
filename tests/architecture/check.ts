/**
 * Fails on an import circle, on an import against the direction, and on a
 * runtime that is named where every runtime has to come along. It names each
 * with its path of imports.
 *
 * @module
 */

import { readGraph } from "./_graph.ts";
import { MAY_NAME_A_RUNTIME, RULES } from "./_rules.ts";
import { runtimeNames } from "./_runtime_names.ts";
import { violationsOf } from "./_violations.ts";

/** What is shipped. */
const SHIPPED = ["codec", "conn", "mod.ts"];

const ROOT = new URL("../../", import.meta.url);

if (import.meta.main) {
  const graph = await readGraph(ROOT, SHIPPED);
  const violations = violationsOf(graph, RULES);
  for (const file of graph.keys()) {
    if (MAY_NAME_A_RUNTIME.test(file)) continue;
    const code = await Deno.readTextFile(new URL(file, ROOT));
    for (const name of runtimeNames(code)) {
      violations.push(`only a driver names a runtime: ${file} names ${name}`);
    }
  }
  for (const line of violations) console.error(line);
  const count = violations.length;
  console.log(`${graph.size} files, ${count} violations of the architecture`);
  if (count > 0) Deno.exit(1);
}
