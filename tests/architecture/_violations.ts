import { circlesOf, pathTo } from "./_circles.ts";
import type { Graph } from "./_graph.ts";
import type { Rule } from "./_rules.ts";

/** A line for each violation, with the files from the first import to the last. */
export function violationsOf(graph: Graph, rules: readonly Rule[]): string[] {
  return [
    ...circlesOf(graph).map((path) => `import circle: ${path.join(" -> ")}`),
    ...rules.flatMap((rule) =>
      pathsAgainst(graph, rule).map((path) =>
        `${rule.says}: ${path.join(" -> ")}`
      )
    ),
  ];
}

/**
 * The shortest way from each file to each of what it must not import. One that
 * leads through another such file is left out, since that has a line already.
 */
function pathsAgainst(graph: Graph, rule: Rule): string[][] {
  const { from, to, isDirect } = rule;
  const paths: string[][] = [];
  for (const file of graph.keys()) {
    if (!from.test(file)) continue;
    const before = new Map<string, string | undefined>([[file, undefined]]);
    for (const at of before.keys()) {
      if (at !== file && to.test(at)) paths.push(pathTo(at, before));
      if (at !== file && (isDirect || from.test(at) || to.test(at))) continue;
      for (const imported of graph.get(at) ?? []) {
        if (!before.has(imported)) before.set(imported, at);
      }
    }
  }
  return paths;
}
