/** What `deno doc --lint` does not ask for: an example of everything that is called. */

import { assert, assertEquals } from "@std/assert";

const ROOT = new URL("../", import.meta.url);

/** As much of the output of `deno doc --json` as is looked at. */
interface Documentation {
  nodes: Record<string, {
    module_doc?: { doc?: string };
    symbols: { name: string; declarations: Declaration[] }[];
  }>;
}

interface Declaration {
  kind: string;
  jsDoc?: { doc?: string; tags?: { kind: string }[] };
}

const CONFIG: { exports: Record<string, string> } = JSON.parse(
  await Deno.readTextFile(new URL("deno.json", ROOT)),
);

async function documentationOf(file: string): Promise<Documentation> {
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["doc", "--json", file],
    cwd: ROOT,
  }).output();
  return JSON.parse(new TextDecoder().decode(stdout));
}

function hasExample({ jsDoc }: Declaration): boolean {
  return jsDoc?.tags?.some(({ kind }) => kind === "example") ?? false;
}

for (const [name, file] of Object.entries(CONFIG.exports)) {
  Deno.test(`${name} has an example, and of all functions, classes and constants`, async () => {
    const { nodes } = await documentationOf(file);
    for (const { module_doc, symbols } of Object.values(nodes)) {
      assert(module_doc?.doc?.includes("```ts"), `no example of ${name}`);
      assert(symbols.length > 0);
      const called = symbols.filter(({ declarations }) =>
        declarations.some(({ kind }) =>
          ["function", "class", "variable"].includes(kind)
        )
      );
      const without = called.filter(({ declarations }) =>
        !declarations.some(hasExample)
      );
      assertEquals(without.map(({ name }) => name), []);
    }
  });
}
