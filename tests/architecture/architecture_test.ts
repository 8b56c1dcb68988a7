/** The check of the architecture, given small trees. */

import { assertEquals } from "@std/assert";
import { pathToFileURL } from "node:url";
import { readGraph } from "./_graph.ts";
import { RULES } from "./_rules.ts";
import { runtimeNames } from "./_runtime_names.ts";
import { violationsOf } from "./_violations.ts";

/** What the check says of a tree: files with what they import. */
async function violationsIn(
  tree: Record<string, readonly string[]>,
): Promise<string[]> {
  const folder = await Deno.realPath(await Deno.makeTempDir());
  try {
    for (const [file, lines] of Object.entries(tree)) {
      const path = `${folder}/${file}`;
      await Deno.mkdir(path.slice(0, path.lastIndexOf("/")), {
        recursive: true,
      });
      await Deno.writeTextFile(path, [...lines, "export {};"].join("\n"));
    }
    const root = pathToFileURL(`${folder}/`);
    const graph = await readGraph(root, ["codec", "conn", "mod.ts"]);
    return violationsOf(graph, RULES);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** A tree without a fault: what each kind of file may import. */
const CLEAN: Record<string, readonly string[]> = {
  "mod.ts": [`export * from "./codec/mod.ts";`, `import "./conn/accept.ts";`],
  "codec/mod.ts": [`import "./_wire.ts";`],
  "codec/internal.ts": [`export * from "./_wire.ts";`],
  "codec/_wire.ts": [],
  "conn/accept.ts": [`import "./native/peer.ts";`],
  "conn/node.ts": [`import "./node/peer.ts";`, `import "node:net";`],
  "conn/bun.ts": [`import "./bun/conn.ts";`],
  "conn/deno.ts": [`import "./deno/links.ts";`],
  "conn/types.ts": [`import type {} from "../codec/mod.ts";`],
  "conn/native/peer.ts": [`import "../admission/admission.ts";`],
  "conn/node/peer.ts": [`import "../admission/admission.ts";`],
  "conn/bun/conn.ts": [`import "../admission/admission.ts";`],
  "conn/deno/links.ts": [`import "../types.ts";`],
  "conn/admission/admission.ts": [
    `// import "../native/peer.ts" stands in a comment only.`,
    `import type {} from "../types.ts";`,
    `import "../../codec/internal.ts";`,
  ],
  "conn/sending/header.ts": [`import "../../codec/mod.ts";`],
};

Deno.test("the check of the architecture finds nothing in a clean tree", async () => {
  assertEquals(await violationsIn(CLEAN), []);
});

Deno.test("the check of the architecture finds a circle, also one of types", async () => {
  const found = await violationsIn({
    ...CLEAN,
    "codec/_wire.ts": [`import type {} from "./_text.ts";`],
    "codec/_text.ts": [`type Wire = import("./_wire.ts").Wire;`],
    "conn/accept.ts": [`await import("./native/peer.ts");`],
    "conn/native/peer.ts": [`export * from "../accept.ts";`],
  });
  assertEquals(found, [
    "import circle: codec/_text.ts -> codec/_wire.ts -> codec/_text.ts",
    "import circle: conn/accept.ts -> conn/native/peer.ts -> conn/accept.ts",
  ]);
});

/** An import that is added to the clean tree, and what is said of it. */
const WRONG: [file: string, line: string, says: string[]][] = [
  ["codec/_wire.ts", `import type {} from "../conn/types.ts";`, [
    "import circle: codec/_wire.ts -> conn/types.ts -> codec/mod.ts -> codec/_wire.ts",
    "codec/ imports nothing but codec/: codec/_wire.ts -> conn/types.ts",
  ]],
  ["conn/types.ts", `import "../codec/_wire.ts";`, [
    "conn/ and mod.ts import of codec/ only mod.ts and internal.ts: " +
    "conn/types.ts -> codec/_wire.ts",
  ]],
  ["codec/_wire.ts", `import "left-pad";`, [
    "codec/ imports nothing but codec/: codec/_wire.ts -> left-pad",
    "what is shipped imports no package: codec/_wire.ts -> left-pad",
  ]],
  ["conn/sending/header.ts", `import "../native/peer.ts";`, [
    "conn/sending/ imports no driver, no entry point and no runtime: " +
    "conn/sending/header.ts -> conn/native/peer.ts",
  ]],
  // Past a file that may itself import a driver.
  ["conn/admission/admission.ts", `import "../node.ts";`, [
    "import circle: conn/admission/admission.ts -> conn/node.ts -> " +
    "conn/node/peer.ts -> conn/admission/admission.ts",
    "conn/admission/ imports no driver, no entry point and no runtime: " +
    "conn/admission/admission.ts -> conn/node.ts",
    "the driver of native connections imports no other driver: " +
    "conn/native/peer.ts -> conn/admission/admission.ts -> conn/node.ts",
    "the driver of Bun imports no other driver: " +
    "conn/bun/conn.ts -> conn/admission/admission.ts -> conn/node.ts",
    "mod.ts loads everywhere: nothing that it imports needs a runtime: " +
    "mod.ts -> conn/accept.ts -> conn/native/peer.ts -> " +
    "conn/admission/admission.ts -> conn/node.ts -> node:net",
  ]],
  ["conn/bun/conn.ts", `import type {} from "../node/peer.ts";`, [
    "the driver of Bun imports no other driver: " +
    "conn/bun/conn.ts -> conn/node/peer.ts",
  ]],
  ["conn/deno/links.ts", `import "../node/peer.ts";`, [
    "serveHttp of Deno imports no driver of Bun or Node: " +
    "conn/deno/links.ts -> conn/node/peer.ts",
  ]],
  ["conn/accept.ts", `import "node:events";`, [
    "mod.ts loads everywhere: nothing that it imports needs a runtime: " +
    "mod.ts -> conn/accept.ts -> node:events",
  ]],
];

for (const [file, line, says] of WRONG) {
  Deno.test(`the check of the architecture finds ${line} in ${file}`, async () => {
    const tree = { ...CLEAN, [file]: [...CLEAN[file] ?? [], line] };
    assertEquals(await violationsIn(tree), says);
  });
}

Deno.test("runtimeNames() finds globals of runtimes in code alone", () => {
  assertEquals(
    runtimeNames(`
      // Deno.listen() in a comment, and "Bun.listen()" in a text:
      const text = "process.exit()" + 'require("x")';
      type Conn = Deno.Conn; /* Buffer.from() */
      process(1); // a function of its own
      if (typeof Bun === "undefined") process.exit();
    `),
    ["Deno", "Bun", "process"],
  );
});
