/** Programs that Bun loads again when their files change: `--hot` and `--watch`. */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { Queue } from "../_client.ts";
import { assertRefused, get, HttpClient, serve, within } from "./_kit.ts";

const LIBRARY = new URL("../../../../conn/bun.ts", import.meta.url).pathname;

/** Two servers that say which generation of the program answers whom. */
function program(generation: number, ports: number[], trust: string): string {
  return `
import { proxyInfo, serveHttp } from ${JSON.stringify(LIBRARY)};

for (const port of ${JSON.stringify(ports)}) {
  const server = serveHttp({
    hostname: "127.0.0.1",
    port,
    routes: { "/static": new Response("static ${generation}") },
    fetch(request, server) {
      const { source } = proxyInfo(request) ?? {};
      return new Response(
        \`${generation} \${port} \${server.requestIP(request)?.address} \${source?.port}\`,
      );
    },
    proxy: { trust: ${trust} },
  });
  console.log(\`${generation} \${server.port} \${server.stats.accepted}\`);
}
`;
}

/** Two ports that are free. */
async function freePorts(): Promise<number[]> {
  await using first = serve({ fetch: () => new Response() });
  await using second = serve({ fetch: () => new Response() });
  return [first.port, second.port];
}

const TRUST = JSON.stringify(["127.0.0.1"]);

for (const mode of ["--hot", "--watch"]) {
  test(`serveHttp: ${mode} loads handlers and options again, and goes on to serve`, async () => {
    const folder = mkdtempSync(join(tmpdir(), "serve-http-"));
    const path = join(folder, "program.ts");
    const ports = await freePorts();
    writeFileSync(path, program(1, ports, TRUST));
    const child = spawn(process.execPath, [mode, path], {
      cwd: folder,
      stdio: ["ignore", "pipe", "inherit"],
    });
    const lines = new Queue<string>();
    child.stdout.on("data", (chunk) => {
      for (const line of `${chunk}`.trim().split("\n")) lines.add(line);
    });
    // Bun may load a file twice that is written once.
    const loaded = async (generation: number) => {
      for (const port of ports) {
        const expected = `${generation} ${port} 0`;
        while (await lines.next(expected) !== expected);
      }
    };
    const served = async (generation: number) => {
      await loaded(generation);
      for (const [id, port] of ports.entries()) {
        const expected = `${generation} ${port} 10.0.0.${id} ${1024 + id}`;
        assert.equal((await get(port, "/", id)).body, expected);
        const { body } = await get(port, "/static", id);
        assert.equal(body, `static ${generation}`);
      }
    };
    try {
      await served(1);
      const [port = 0] = ports;
      using old = await HttpClient.as(9, port);
      assert.equal((await old.get("/")).body, `1 ${port} 10.0.0.9 1033`);
      for (const generation of [2, 3]) {
        writeFileSync(path, program(generation, ports, TRUST));
        await served(generation);
      }
      if (mode === "--hot") { // what was connected stays so
        assert.equal((await old.get("/")).body, `3 ${port} 10.0.0.9 1033`);
      }
      writeFileSync(path, program(4, ports, "[]"));
      await loaded(4);
      for (const port of ports) await assertRefused(port); // not trusted now
    } finally {
      const ended = new Promise((resolve) => child.on("close", resolve));
      child.kill();
      await within(ended, "the program to end");
      rmSync(folder, { recursive: true });
    }
  });
}
