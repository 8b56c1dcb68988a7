/** Runs an app of Hono, unchanged, behind `serveHttp()`. */

import { assertEquals } from "@std/assert";
import { install, mustRun } from "../../../npm_consumer/_package.ts";
import { HONO } from "../../../_versions.ts";

const EXPECTED = [
  "hono sees 192.0.2.7 51234 by v1",
  "hono opens for 192.0.2.7",
  "",
].join("\n");

Deno.test("serveHttp() serves a Hono app unchanged", async () => {
  const folder = await Deno.makeTempDir({ prefix: "serve-http-apps-" });
  try {
    await Deno.writeTextFile(`${folder}/package.json`, '{"type":"module"}');
    await install(folder, HONO);
    await Deno.copyFile(
      new URL("_apps.js", import.meta.url),
      `${folder}/apps.js`,
    );
    const adapter = new URL("../../../../conn/deno.ts", import.meta.url).href;
    const output = await mustRun(
      folder,
      ...[Deno.execPath(), "run", "-A", "--no-lock", "apps.js", adapter],
    );
    assertEquals(output, EXPECTED);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
