/** That a program of the documentation which does not compile is found. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { compileErrors } from "./_compile.ts";
import { allFences, documentationOf, type Fence, fencesOf } from "./_fences.ts";
import { type Needs, needsOf } from "./_surroundings.ts";

const PACKAGE = "@edgewire/proxy-protocol";

/** A program by what it needs, and a member in it which only those types have. */
const PROGRAMS: Readonly<Record<Needs, [code: string, member: string]>> = {
  bun: [
    `import { proxied } from "${PACKAGE}/bun";
Bun.listen({
  hostname: "0.0.0.0",
  port: 8080,
  socket: proxied({
    open(socket, info) { socket.setKeepAlive(info !== undefined); },
  }, { trust: [] }),
});
`,
    "setKeepAlive",
  ],
  deno: [
    `import { accept } from "${PACKAGE}";
const tcp = await Deno.listen({ port: 8080 }).accept();
const { conn } = await accept(tcp, { trust: [] });
conn.raw.setNoDelay();
`,
    "setNoDelay",
  ],
  node: [
    `import { proxied } from "${PACKAGE}/node";
import express from "express";
import { createServer } from "node:http";
const app = express();
app.get("/", (request, response) => void response.send(request.ip));
proxied(createServer(app), { trust: [] }).listen(8080);
`,
    "ip",
  ],
  workerd: [
    `import { accept } from "${PACKAGE}";
export default {
  async connect(socket: Socket): Promise<void> {
    const { conn } = await accept(socket, { trust: [] });
    conn.raw.startTls();
  },
};
`,
    "startTls",
  ],
  any: [
    `import { decode } from "${PACKAGE}/codec";
const info = decode(new TextEncoder().encode("PROXY UNKNOWN\\r\\n"));
console.log(info?.family);
`,
    "family",
  ],
};

function fence(path: string, line: number, code: string): Fence {
  return { path, line, attributes: [], code };
}

for (const [needs, [code, member]] of Object.entries(PROGRAMS)) {
  Deno.test(`a program that needs ${needs} is compiled with its types`, async () => {
    assertEquals(needsOf(code), needs);
    assertEquals(await compileErrors([fence("README.md", 7, code)]), "");

    const wrong = code.replace(member, `${member}Wrong`);
    const line = 20 + wrong.slice(0, wrong.indexOf("Wrong")).split("\n").length;
    const errors = await compileErrors([
      fence("README.md", 7, code),
      fence("conn/x.ts", 21, wrong),
    ]);
    assertMatch(errors, new RegExp(`Property '${member}Wrong' does not exist`));
    assertMatch(errors, new RegExp(`conn/x\\.ts[(:]${line}[,:]`));
    assert(!errors.includes("README.md"), errors);
  });
}

Deno.test("a program is compiled strictly, and apart from the others", async () => {
  const code = "const list = [1];\nlist[0].toFixed();\n";
  const errors = await compileErrors([
    fence("README.md", 1, "export {};\n"),
    fence("conn/README.md", 1, code),
  ]);
  assertMatch(errors, /^conn\/README\.md\(2,.*possibly 'undefined'/m);
  assertMatch(errors, / conn\/README\.md:2:/); // of Deno
  // The same names at the top are not the same variables.
  const apart = "const list = [1];\n";
  assertEquals(
    await compileErrors([fence("a.md", 1, apart), fence("a.md", 9, apart)]),
    "",
  );
});

Deno.test("needsOf() is not misled by what a comment says", () => {
  const code = `import { decode } from "${PACKAGE}";\n// Bun.listen({})\n`;
  assertEquals(needsOf(code), "any");
  assertEquals(needsOf(`${code}Bun.gc();`), "bun");
});

Deno.test("fencesOf() finds the programs of Markdown, those marked `ignore` too", () => {
  const markdown = "# A\n\n```ts ignore\na();\n```\n\n```sh\nb\n```\n\n" +
    "- c\n\n  ```typescript\n  if (c) {\n    d();\n  }\n  ```\n";
  assertEquals(fencesOf("a.md", markdown), [
    { path: "a.md", line: 4, attributes: ["ignore"], code: "a();\n" },
    { path: "a.md", line: 14, attributes: [], code: "if (c) {\n  d();\n}\n" },
  ]);
});

Deno.test("documentationOf() leaves comments of documentation, each line in its place", () => {
  const source = "/** One. */\nconst a = `\n * b\n`;\n  /**\n   * ```ts\n" +
    "   *   c();\n   *\n   * ```\n   */\nd();\n/* e\n * f */\n";
  assertEquals(
    documentationOf(source),
    "\n\n\n\n\n```ts\n  c();\n\n```\n\n\n\n\n",
  );
});

Deno.test("allFences() finds those of the README and of each entry point", async () => {
  const { exports } = JSON.parse(
    await Deno.readTextFile(new URL("../../deno.json", import.meta.url)),
  );
  const found = new Set((await allFences()).map(({ path }) => path));
  for (const path of ["./README.md", ...Object.values<string>(exports)]) {
    assert(found.has(path.slice(2)), `${path} has no program`);
  }
});
