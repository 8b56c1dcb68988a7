/** Runs apps of Hono and Express, unchanged, behind `proxied()` on each runtime. */

import { bunProgram, nodeProgram, NPM_INSTALL } from "../../_npm.ts";
import { DUPLEXIFY, EXPRESS, HONO, HONO_NODE_SERVER } from "../../_versions.ts";
import { LONGEST_RUN } from "../../_within.ts";

const PACKAGES = [HONO, HONO_NODE_SERVER, EXPRESS, DUPLEXIFY];

const EXPECTED = [
  "hono is served",
  "express is served",
  "a stream of a package is checked by ",
  "a stream of a package is checked by any",
  "",
].join("\n");

const RUNTIMES: Record<string, [command: string, ...args: string[]]> = {
  Node: [nodeProgram()],
  Deno: [Deno.execPath(), "run", "-A", "--no-lock"],
  Bun: [bunProgram()],
};

/** Runs a command to its end; what it printed. */
async function run(
  [command, ...args]: [string, ...string[]],
  cwd: string,
): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(command, {
    args,
    cwd,
    signal: AbortSignal.timeout(LONGEST_RUN),
  }).output();
  const decoder = new TextDecoder();
  const output = decoder.decode(stdout);
  if (success) return output;
  throw new Error(`${command} failed:\n${output}${decoder.decode(stderr)}`);
}

Deno.test("proxied() serves a Hono app and an Express app unchanged", async (t) => {
  const folder = await Deno.makeTempDir({ prefix: "proxy-apps-" });
  try {
    await Deno.writeTextFile(`${folder}/package.json`, '{"type":"module"}');
    await run([...NPM_INSTALL, ...PACKAGES], folder);
    await Deno.copyFile(
      new URL("_apps.js", import.meta.url),
      `${folder}/apps.js`,
    );
    const adapter = new URL("../../../conn/node.ts", import.meta.url).href;
    for (const [name, command] of Object.entries(RUNTIMES)) {
      await t.step(name, async () => {
        const output = await run([...command, "apps.js", adapter], folder);
        if (output !== EXPECTED) {
          throw new Error(`Unexpected output on ${name}:\n${output}`);
        }
      });
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
