/** That versions stand once: what cannot import them says the same. */

import { assert, assertEquals } from "@std/assert";
import { BUN, DENO, NODE, OLDEST_NODE } from "./_versions.ts";

const ROOT = new URL("../", import.meta.url);

/** Texts that name a version. */
const TEXTS = [
  "README.md",
  ".ci/run",
  ".github/CONTRIBUTING.md",
  "tests/bench/README.md",
  "tests/proof/differential/README.md",
  "tests/proof/interop/README.md",
  ".github/workflows/ci.yml",
  ".github/workflows/publish.yml",
];

/** How texts name a version, and what it has to be. */
const NAMED: [name: RegExp, version: string][] = [
  [/(?<!setup-)\bdeno@([\d.]+)/g, DENO],
  [/\bdeno-version: "?([\w.]+)/g, DENO],
  [/\bbun-version: "?([\w.]+)/g, BUN],
  [/\bnode-version: "?([\w.]+)/g, NODE],
  [/\bnode:(\d[\d.]*)/g, NODE],
  [/# Node, from ([\d.]+) on/g, OLDEST_NODE.replace(/\.0$/, "")],
];

async function read(path: string): Promise<string> {
  return await Deno.readTextFile(new URL(path, ROOT));
}

Deno.test("texts name the versions of tests/_versions.ts", async () => {
  const named = new Set<RegExp>();
  const wrong: string[] = [];
  for (const path of TEXTS) {
    const text = await read(path);
    for (const [name, version] of NAMED) {
      for (const [found, received] of text.matchAll(name)) {
        named.add(name);
        if (received !== version) wrong.push(`${path}: ${found}`);
      }
    }
  }
  assertEquals(wrong, []);
  const unused = NAMED.filter(([name]) => !named.has(name));
  assertEquals(unused.map(([name]) => `${name} is nowhere`), []);
});

Deno.test("beside the stand-ins for JSR are the packages of npm that deno.json has", async () => {
  const imports = async (path: string) => {
    const map: { imports: Record<string, string> } = JSON.parse(
      await read(path),
    );
    return Object.entries(map.imports)
      .filter(([, specifier]) => specifier.startsWith("npm:"));
  };
  const named = await imports("deno.json");
  assert(named.length > 1);
  assertEquals(await imports("tests/std/map.json"), named);
});

/** The files of the tests that are programs, and the bench. */
async function* programs(folder = "tests"): AsyncGenerator<string> {
  for await (
    const { name, isDirectory } of Deno.readDir(new URL(folder, ROOT))
  ) {
    const path = `${folder}/${name}`;
    if (isDirectory) yield* programs(path);
    else if (/\.(ts|js)$/.test(name)) yield path;
  }
}

Deno.test("no test names the version of a package itself", async () => {
  const naming: string[] = [];
  for await (const path of programs()) {
    if (path === "tests/_versions.ts") continue;
    const found = (await read(path)).match(/["'` ][@\w/-]+[a-z]@\d[\w.]*/);
    if (found) naming.push(`${path}: ${found}`);
  }
  assertEquals(naming, []);
});

Deno.test("tests/_versions.ts names exact versions", async () => {
  const text = await read("tests/_versions.ts");
  const specs = [...text.matchAll(/"(@?[^"@]+@([^"]+))"/g)];
  assert(specs.length > 10);
  const inexact = specs.filter(([, , version = ""]) =>
    !/^\d+\.\d+\.\d+$/.test(version)
  );
  assertEquals(inexact.map(([, spec]) => spec), []);
});
