/** Runs apps of Hono and Elysia, unchanged, behind `serveHttp`. */

import { assertEquals } from "@std/assert";
import { bunProgram, folderWith } from "../../../_npm.ts";
import { ELYSIA, HONO } from "../../../_versions.ts";
import { run } from "../_run.ts";

const EXPECTED = "hono is served\nelysia is served\nelysia is served\n";

Deno.test("serveHttp serves a Hono app and an Elysia app, with WebSockets", async () => {
  const packages = folderWith(ELYSIA, HONO);
  const folder = await Deno.makeTempDir({ dir: packages });
  try {
    await Deno.writeTextFile(`${folder}/package.json`, '{"type":"module"}');
    const script = `${folder}/apps.js`;
    await Deno.copyFile(new URL("_apps.js", import.meta.url), script);
    const adapter =
      new URL("../../../../conn/bun.ts", import.meta.url).pathname;
    const { success, stdout, all } = await run(
      [bunProgram(), script, adapter],
      folder,
    );
    assertEquals(success, true, all);
    assertEquals(stdout, EXPECTED, all);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
