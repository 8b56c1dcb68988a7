/**
 * What `deno doc --lint` does not ask for: an example of everything that is
 * called, pages whose links lead somewhere, and a README of a bounded length.
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
  publish: { exclude: string[] };
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
      // Nothing is imported from what is loaded before a program.
      assertEquals(symbols.length > 0, name !== "./register");
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
  return heading.toLowerCase().replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1")
    .replaceAll(/[^\p{L}\p{N} _-]/gu, "").replaceAll(" ", "-");
}

function withoutFences(page: string): string {
  return page.replaceAll(/^```.*?^```$/gms, "");
}

/** Finds all pages. */
async function* pagesUnder(folder = ""): AsyncGenerator<string> {
  for await (
    const { name, isDirectory } of Deno.readDir(new URL(folder || ".", ROOT))
  ) {
    if (["node_modules", ".git", "coverage"].includes(name)) continue;
    const path = `${folder}${name}`;
    if (isDirectory) yield* pagesUnder(`${path}/`);
    else if (name.endsWith(".md")) yield path;
  }
}

const PAGES = new Map(
  await Promise.all(
    (await Array.fromAsync(pagesUnder())).toSorted().map(async (path) =>
      [path, await Deno.readTextFile(new URL(path, ROOT))] as const
    ),
  ),
);

async function isThere(path: string): Promise<boolean> {
  return await Deno.stat(new URL(path, ROOT)).then(() => true, () => false);
}

function isPublished(path: string): boolean {
  return !CONFIG.publish.exclude.some((one) =>
    path === one || path.startsWith(`${one}/`)
  );
}

/** Where the files are that JSR and npm do not have. */
const REPOSITORY = "https://github.com/edgewire/proxy-protocol/blob/main/";

/** Inline links, and those that are defined at the end of a page. */
const LINK_REGEXP = /\]\(([^)\s]+)\)|^\[[^\]]+\]: (\S+)$/gm;

/** What is wrong with a link of a page. */
async function objectionTo(
  page: string,
  link: string,
): Promise<string | undefined> {
  const isFull = link.startsWith(REPOSITORY);
  if (!isFull && /^[a-z]+:/.test(link)) return undefined; // elsewhere
  const base = isFull ? ROOT : new URL(page, ROOT);
  const target = new URL(isFull ? link.slice(REPOSITORY.length) : link, base);
  const path = target.href.slice(ROOT.href.length).replace(/#.*/, "");
  const anchor = target.hash.slice(1);
  if (!await isThere(path)) return "leads nowhere";
  if (isPublished(page) && isFull === isPublished(path)) {
    return isFull
      ? "could be relative, because the file is published"
      : "must be a full address, because the file is not published";
  }
  if (anchor === "") return undefined;
  const headings = withoutFences(PAGES.get(path) ?? "").matchAll(/^#+ (.*)$/gm);
  const anchors = Array.from(headings, ([, title = ""]) => anchorOf(title));
  return anchors.includes(anchor) ? undefined : "leads to no heading";
}

for (const [path, page] of PAGES) {
  Deno.test(`the links of ${path} lead to files and headings`, async () => {
    const wrong: string[] = [];
    for (
      const [, inline, defined] of withoutFences(page).matchAll(LINK_REGEXP)
    ) {
      const link = inline ?? defined ?? "";
      const objection = await objectionTo(path, link);
      if (objection !== undefined) wrong.push(`${link} ${objection}`);
    }
    assertEquals(wrong, []);
  });

  Deno.test(`the tests that ${path} names are there`, async () => {
    for (const [, test = ""] of page.matchAll(/`(tests\/[\w/.]+)`/g)) {
      assert(await isThere(test), test);
    }
  });
}

/** Most lines of each section of the README, in their order. */
const SECTIONS: readonly [title: string, lines: number][] = [
  ["@edgewire/proxy-protocol", 14],
  ["Install", 8],
  ["Try it", 16],
  ["Quick start", 80],
  ["The client's address", 28],
  ["Whom to trust", 24],
  ["Behind your balancer", 24],
  ["Relay, send, UDP, codec", 50],
  ["Test your server", 12],
  ["Command line", 18],
  ["Security", 10],
  ["Evidence", 12],
  ["Contributing", 4],
];

Deno.test("the README has its sections in their order, none too long", () => {
  // Without what its links lead to, which nobody reads.
  const text = README.replaceAll(/^\[[^\]]+\]: .*\n/gm, "").trimEnd();
  const sections = text.split(/^##? /m).slice(1);
  assertEquals(
    sections.map((section) => section.split("\n")[0]),
    SECTIONS.map(([title]) => title),
  );
  const long = SECTIONS.flatMap(([title, most], i) => {
    const lines = (sections[i] ?? "").split("\n").length - 1;
    return lines > most ? [`${title}: ${lines} lines, at most ${most}`] : [];
  });
  assertEquals(long, []);
});

Deno.test("the README names every import, CONTRIBUTING.md every task", () => {
  const imports = Object.keys(CONFIG.exports)
    .map((name) => `@edgewire/proxy-protocol${name.slice(1)}`)
    .filter((name) => !new RegExp(`${name}(?![/\\w])`).test(README));
  assertEquals(imports, []);
  const contributing = PAGES.get(".github/CONTRIBUTING.md") ?? "";
  assertEquals(
    Object.keys(CONFIG.tasks)
      .filter((name) => !contributing.includes(`| \`${name}\` `)),
    [],
  );
});
