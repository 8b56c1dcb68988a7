/** Runs apps of Hono and Express, unchanged, behind `proxied()` on each runtime. */

import { DUPLEXIFY, EXPRESS, HONO, HONO_NODE_SERVER } from "../../_versions.ts";
import { runApp } from "./_npm_apps.ts";

const EXPECTED = [
  "hono is served",
  "express is served",
  "a stream of a package is checked by ",
  "a stream of a package is checked by any",
  "",
].join("\n");

Deno.test("proxied() serves a Hono app and an Express app unchanged", async (t) => {
  await runApp(t, {
    file: "_apps.js",
    packages: [HONO, HONO_NODE_SERVER, EXPRESS, DUPLEXIFY],
    expected: () => EXPECTED,
  });
});
