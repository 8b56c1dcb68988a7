/** The recipes of `conn/cli/README.md`: a unit of systemd, and a container file. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { nodeProgram } from "../_npm.ts";
import { freePort } from "../_ports.ts";
import { isMissing } from "../proof/interop/_system.ts";
import { programUnder, readPage } from "../recipes/_readme.ts";
import { DENO, run, start } from "./_cli.ts";

const PAGE = await readPage("conn/cli/README.md");
const UNIT = programUnder(PAGE, "systemd", "ini");
const CONTAINER = programUnder(PAGE, "A container", "dockerfile");
const PROGRAM = "/usr/local/bin/proxy-protocol";

/** What an instruction of the container file has, as JSON. */
function listOf(instruction: string): string[] {
  const [, json = "[]"] =
    new RegExp(`^${instruction} (\\[.*\\])$`, "m").exec(CONTAINER) ?? [];
  return JSON.parse(json);
}

/** Arguments with ports that are free, and a trust file that is there. */
function onFreePorts(args: readonly string[], file: string): string[] {
  const ports = new Map<string, number>();
  const changed: string[] = [];
  for (const arg of args) {
    const [port = ""] = /^\d{3,}(?==|$)/.exec(arg) ?? [];
    const isPort = arg.includes("=") || port.startsWith("91");
    if (isPort && !ports.has(port)) ports.set(port, freePort());
    changed.push(
      isPort
        ? arg.replace(port, `127.0.0.1:${ports.get(port)}`)
        : arg.replace("/etc/proxy-protocol.trust", file),
    );
  }
  return changed;
}

Deno.test({
  name: "systemd finds nothing wrong with the unit",
  ignore: isMissing("systemd-analyze"),
  async fn() {
    const folder = await Deno.makeTempDir();
    try {
      // The program need not be installed here.
      const program = `${folder}/proxy-protocol`;
      await Deno.writeTextFile(program, "#!/bin/sh\n", { mode: 0o755 });
      const unit = `${folder}/proxy-protocol.service`;
      const verify = async (text: string) => {
        await Deno.writeTextFile(unit, text.replace(PROGRAM, program));
        const { code, stderr } = await new Deno.Command("systemd-analyze", {
          args: ["verify", unit],
        }).output();
        return { code, said: new TextDecoder().decode(stderr) };
      };
      assertEquals(await verify(UNIT), { code: 0, said: "" });
      const { said } = await verify(UNIT.replace("LimitNOFILE", "LimitFiles"));
      assertMatch(said, /Unknown key .*'LimitFiles'/);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});

Deno.test("the unit starts relay with arguments that work", async () => {
  const [, line = ""] = /^ExecStart=((?:.*\\\n)*.*)$/m.exec(UNIT) ?? [];
  const [program, ...args] = line.replaceAll("\\\n", "").split(/\s+/);
  assertEquals(program, PROGRAM);
  const grace = Number(args[args.indexOf("--grace") + 1]);
  assert(Number(/^TimeoutStopSec=(\d+)$/m.exec(UNIT)?.[1]) > grace);
  const file = await Deno.makeTempFile();
  try {
    await Deno.writeTextFile(file, "10.0.0.0/8\n");
    const { code, err } = await run(
      onFreePorts(args, file),
      undefined,
      AbortSignal.abort(),
    );
    assertEquals(code, 0, err);
    assertMatch(
      err,
      /^Relaying .* to 10\.0\.0\.9:443\nHealth at .*\nMetrics at/,
    );
  } finally {
    await Deno.remove(file);
  }
});

Deno.test("the container starts relay, and its health check asks it", async () => {
  const [program, ...args] = [...listOf("ENTRYPOINT"), ...listOf("CMD")];
  assertEquals(program, "proxy-protocol");
  const [node, ...check] = listOf("HEALTHCHECK CMD");
  assertEquals(node, "node");
  const free = onFreePorts(args, "");
  const health = free[free.indexOf("--health") + 1] ?? "";
  const ask = async () =>
    (await new Deno.Command(nodeProgram(), {
      args: check.map((arg) => arg.replace("127.0.0.1:9101", health)),
    }).output()).code;
  await using cli = start(DENO, ["--allow-net"], free);
  await cli.err(/Health at /);
  assertEquals(await ask(), 0);
  cli.kill("SIGTERM");
  await cli.ended();
  assertEquals(await ask(), 1);
});
