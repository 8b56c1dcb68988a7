import type { Graph } from "./_graph.ts";

/**
 * Finds import circles: for each import that is part of any, the shortest one
 * through it. Each circle begins with the file that comes first by name, and
 * is given once.
 */
export function circlesOf(graph: Graph): string[][] {
  const circles = new Map<string, string[]>();
  for (const [file, imports] of graph) {
    for (const imported of imports) {
      const back = shortestPath(graph, imported, file);
      if (back === undefined) continue;
      const circle = turned(back);
      circles.set(circle.join(), circle);
    }
  }
  return [...circles.values()];
}

/** The files of a way from one to the other, both among them. */
function shortestPath(
  graph: Graph,
  from: string,
  to: string,
): string[] | undefined {
  const before = new Map<string, string | undefined>([[from, undefined]]);
  for (const file of before.keys()) {
    if (file === to) return pathTo(file, before);
    for (const imported of graph.get(file) ?? []) {
      if (!before.has(imported)) before.set(imported, file);
    }
  }
  return undefined;
}

/** Walks back from a file. */
export function pathTo(
  file: string,
  before: ReadonlyMap<string, string | undefined>,
): string[] {
  const path: string[] = [];
  for (
    let at: string | undefined = file;
    at !== undefined;
    at = before.get(at)
  ) path.unshift(at);
  return path;
}

function turned(circle: readonly string[]): string[] {
  const [first = ""] = circle.toSorted();
  const at = circle.indexOf(first);
  return [...circle.slice(at), ...circle.slice(0, at), first];
}
