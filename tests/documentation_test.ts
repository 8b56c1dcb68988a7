/**
 * What `deno doc --lint` does not ask for: an example of everything that is
 * called, and a README whose links lead somewhere.
 */

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

const CONFIG: {
  exports: Record<string, string>;
  tasks: Record<string, string>;
} = JSON.parse(
  await Deno.readTextFile(new URL("deno.json", ROOT)),
);
const README = await Deno.readTextFile(new URL("README.md", ROOT));

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

/** Classes that users construct, or compare with `instanceof`. All else is a type. */
const CLASSES = [
  "DatagramSessions",
  "HeaderAgent",
  "HttpsHeaderAgent",
  "ProxyProtocolError",
];

Deno.test("no class is exported whose constructor only the library can call", async () => {
  for (const file of Object.values(CONFIG.exports)) {
    const { nodes } = await documentationOf(file);
    const classes = Object.values(nodes).flatMap(({ symbols }) =>
      symbols.filter(({ declarations }) =>
        declarations.some(({ kind }) => kind === "class")
      )
    ).map(({ name }) => name);
    assertEquals(classes.filter((name) => !CLASSES.includes(name)), [], file);
  }
});

/** The anchor of a heading, as GitHub makes it. */
function anchorOf(heading: string): string {
  return heading.toLowerCase().replaceAll(/[^\p{L}\p{N} _-]/gu, "")
    .replaceAll(" ", "-");
}

Deno.test("the links within the README lead to its headings", () => {
  const prose = README.replaceAll(/^```.*?^```$/gms, "");
  const anchors = Array.from(
    prose.matchAll(/^#+ (.*)$/gm),
    ([, heading = ""]) => anchorOf(heading),
  );
  const links = [...prose.matchAll(/\]\(#([^)]*)\)/g)].map(([, to]) => to);
  assert(links.length > 0);
  assertEquals(links.filter((to = "") => !anchors.includes(to)), []);
});

Deno.test("the README tells of every task and every import", () => {
  const names = [
    ...Object.keys(CONFIG.tasks),
    ...Object.keys(CONFIG.exports),
  ];
  assertEquals(names.filter((name) => !README.includes(`| \`${name}\` `)), []);
});
