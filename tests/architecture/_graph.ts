/**
 * Who imports whom, as Deno reads it: values and types, static and dynamic.
 *
 * @module
 */

/**
 * The imports of each file. Files are named from the root, such as
 * `conn/accept.ts`; whatever else is imported is named as it is written, such
 * as `node:net`.
 */
export type Graph = ReadonlyMap<string, readonly string[]>;

/** As much of `deno info --json` as is used. */
interface Info {
  modules: {
    specifier: string;
    error?: string;
    dependencies?: { specifier: string; code?: End; type?: End }[];
  }[];
}

interface End {
  specifier?: string;
}

/** Reads the imports of all files of some folders, and of single files. */
export async function readGraph(
  root: URL,
  paths: readonly string[],
): Promise<Graph> {
  const files = paths.flatMap((path) => filesOf(root, path));
  const entry = await Deno.makeTempFile({ suffix: ".ts" });
  try {
    await Deno.writeTextFile(
      entry,
      files.map((file) => `import "${new URL(file, root).href}";\n`).join(""),
    );
    const info = await readInfo(entry);
    const graph = new Map<string, string[]>();
    for (const { specifier, error, dependencies = [] } of info.modules) {
      if (error !== undefined) throw new Error(error);
      if (!specifier.startsWith(root.href)) continue;
      const imports = dependencies.map(({ specifier, code, type }) =>
        nameOf(root, code?.specifier ?? type?.specifier ?? specifier)
      );
      graph.set(nameOf(root, specifier), [...new Set(imports)]);
    }
    return graph;
  } finally {
    await Deno.remove(entry);
  }
}

/** The TypeScript files of a folder and those below it, or the file itself. */
function filesOf(root: URL, path: string): string[] {
  if (path.endsWith(".ts")) return [path];
  return [...Deno.readDirSync(new URL(path, root))].flatMap((
    { name, isDirectory },
  ) =>
    isDirectory || name.endsWith(".ts") ? filesOf(root, `${path}/${name}`) : []
  ).sort();
}

async function readInfo(entry: string): Promise<Info> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", "--no-config", "--no-lock", entry],
  }).output();
  const decoder = new TextDecoder();
  if (!success) throw new Error(decoder.decode(stderr));
  return JSON.parse(decoder.decode(stdout));
}

function nameOf(root: URL, specifier: string): string {
  return specifier.startsWith(root.href)
    ? specifier.slice(root.href.length)
    : specifier;
}
