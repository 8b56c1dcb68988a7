/**
 * Does what the README says, with the npm package: starts each program on the
 * runtimes that its heading names, sends it the header as the README does, and
 * compares what both print.
 */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { accept, encode } from "../../mod.ts";
import { bunProgram, nodeProgram } from "../_npm.ts";
import { freePort } from "../_ports.ts";
import { summaryOf } from "../_steps.ts";
import { within } from "../_within.ts";
import { install, mustRun, pack, ROOT } from "../npm_consumer/_package.ts";
import * as checks from "./_checks.ts";
import { onFreePort, type Program, start } from "./_programs.ts";
import {
  onLoopback,
  programsIn,
  programUnder,
  readPage,
  sectionOf,
} from "./_readme.ts";

const README = await readPage("README.md");
const QUICK_START = sectionOf(README, "Quick start");

/** How the README starts a program, by runtime. */
const COMMANDS: Readonly<Record<string, [string, ...string[]]>> = {
  Deno: [Deno.execPath(), "run", "--quiet", "--no-lock", "--allow-net"],
  Bun: [bunProgram()],
  Node: [nodeProgram()],
};

/** Where `npx` finds a Node that is supported, before others. */
const PATH = [
  nodeProgram().replace(/\/node$/, ""),
  Deno.env.get("PATH"),
].join(":");

/** What the README says in backquotes after some words. */
function said(page: string, words: string): string {
  const text = page.replaceAll(/\s+/g, " ");
  const [, code] = text.match(new RegExp(`${words} \`([^\`]*)\``)) ?? [];
  assert(code !== undefined, words);
  return code;
}

/** The programs of the quick start, with the runtimes that their headings name. */
const PROGRAMS = Array.from(
  QUICK_START.matchAll(/^### ((\w+) \((.*)\))$/gm),
  ([, heading = "", protocol = "", runtimes = ""]) => ({
    heading,
    protocol,
    runtimes: runtimes.split(", "),
  }),
);

/** The programs of a section that has no headings for them, by a call in each. */
function programWith(call: string): string {
  const program = programsIn(sectionOf(README, "Relay, send"))
    .find((text) => text.includes(call));
  assert(program !== undefined, call);
  return program;
}

async function makeFolder(): Promise<string> {
  const folder = await Deno.makeTempDir({ prefix: "readme-" });
  await Deno.writeTextFile(`${folder}/package.json`, '{"type":"module"}');
  await pack(`${folder}/package.tgz`);
  await install(folder, "./package.tgz");
  return folder;
}

Deno.test("the programs of the README do what it says", async (t) => {
  const folder = await makeFolder();
  const run = async (
    runtime: string,
    text: string,
    file = "main.ts",
  ): Promise<Program> => {
    await Deno.writeTextFile(`${folder}/${file}`, text);
    return start([...COMMANDS[runtime] ?? [""], file], folder);
  };
  try {
    await t.step("there are programs for all, and how to start them", () => {
      assertEquals(PROGRAMS.length, 6);
      for (const start of ["deno run --allow-net", "bun", "node"]) {
        assert(QUICK_START.includes(`\`${start} main.ts\``), start);
      }
    });
    const printed = said(QUICK_START, "program prints");
    const answer = said(QUICK_START, "program answers");
    const [sender = ""] = programsIn(QUICK_START, "sh");
    for (const { heading, protocol, runtimes } of PROGRAMS) {
      for (const runtime of runtimes) {
        await t.step(
          `${heading} on ${runtime}`,
          () =>
            onFreePort(async (listen) => {
              const text = programUnder(README, heading);
              await using program = await run(
                runtime,
                onLoopback(text, { listen }),
              );
              (await program.dial(listen)).close(); // it listens
              const received = await mustRun(
                folder,
                ...["env", `PATH=${PATH}`, "sh", "-c"] as const,
                sender.replaceAll("8080", `${listen}`),
              );
              if (protocol === "HTTP") {
                assertMatch(received, /^HTTP\/1\.[01] 200 OK\r\n/);
                assertEquals(received.split("\r\n\r\n")[1], `${answer}\n`);
                assertEquals(program.lines, []);
              } else {
                assertEquals(received, "GET / HTTP/1.0\r\n\r\n");
                await program.printed(printed);
                assertEquals(program.lines, [printed]);
              }
            }),
        );
      }
    }

    for (const runtime of Object.keys(COMMANDS)) {
      await t.step(`relay on ${runtime}`, () =>
        onFreePort(async (listen) => {
          const dial = freePort();
          const text = onLoopback(programWith("relay("), { listen, dial });
          await using program = await run(runtime, text);
          await checks.relayed(program, listen, dial);
        }));
      await t.step(`writeHeader on ${runtime}`, async () => {
        using backend = Deno.listen({ hostname: "127.0.0.1", port: 0 });
        const text = onLoopback(programWith("writeHeader("), {
          listen: backend.addr.port,
          dial: 443,
        });
        await using program = await run(runtime, text);
        const { info, conn } = await accept(
          await within(
            Promise.race([backend.accept(), program.ended]),
            "the sender",
          ),
          { trust: ["loopback"] },
        );
        assertEquals(info?.source?.hostname, "192.0.2.1");
        assertEquals(info?.destination?.port, 443);
        assertEquals(await new Response(conn).text(), "hello\n");
        conn.close();
      });
      await t.step(
        `DatagramSessions on ${runtime}`,
        () =>
          onFreePort(async (listen) => {
            const text = onLoopback(programWith("DatagramSessions("), {
              listen,
            });
            await using program = await run(runtime, text);
            await checks.each(program, listen, 0);
            assertEquals(program.lines.at(-1), checks.CLIENT);
          }),
      );
      await t.step(`decode on ${runtime}`, async () => {
        const text = programWith("decode(");
        const [, comment] = text.match(/\/\/ (.*)/) ?? [];
        await Deno.writeTextFile(`${folder}/main.ts`, text);
        const command = [...COMMANDS[runtime] ?? [""], "main.ts"] as const;
        assertEquals(await mustRun(folder, ...command), `${comment}\n`);
      });
      await t.step(
        `connectThrough on ${runtime}`,
        () =>
          onFreePort(async (listen) => {
            const server = onLoopback(
              programUnder(README, "TCP (Node"),
              { listen },
            );
            await using program = await run("Node", server, "server.ts");
            (await program.dial(listen)).close(); // it listens
            const text = programUnder(README, "Test your server");
            await Deno.writeTextFile(
              `${folder}/main.ts`,
              onLoopback(text, { listen }),
            );
            const [, comment] = text.match(/\/\/ (.*)/) ?? [];
            const command = [...COMMANDS[runtime] ?? [""], "main.ts"] as const;
            const output = await mustRun(folder, ...command);
            assertEquals(output.trim(), comment);
            await program.printed("192.0.2.1");
          }),
      );
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("the demo and the tests end as the README says", async () => {
  const section = sectionOf(README, "Try it");
  const output = await mustRun(
    ROOT,
    ...[Deno.execPath(), "run", "--quiet", "--allow-net=127.0.0.1"] as const,
    "tests/demo.ts",
  );
  assertEquals(output.trimEnd().split("\n").at(-1), said(section, "with"));
  const counts = summaryOf({ passed: 2000, failed: 0, skipped: [] });
  assertEquals(said(section, "such as"), `${counts} in 170 s`);
});

Deno.test("the README counts the real systems that are in the tables", async () => {
  const rows: { system: string }[] = JSON.parse(
    await Deno.readTextFile(new URL("tests/proof/interop/matrix.json", ROOT)),
  );
  const systems = new Set(
    rows.filter(({ system }) => !system.includes(","))
      .map(({ system }) => system.split(" ")[0]),
  );
  assert(README.includes(`with ${systems.size} real systems`));
  assert(README.includes(`and ${systems.size - 2} other systems`));
});

/** What arrives, by the first column of the table of addresses. */
const ARRIVALS: Readonly<Record<string, Uint8Array>> = {
  PROXY: encode({
    source: { transport: "tcp", hostname: "192.0.2.1", port: 56324 },
    destination: { transport: "tcp", hostname: "198.51.100.1", port: 443 },
  }),
  LOCAL: encode({}),
  UNKNOWN: encode({ version: 1, command: "PROXY", family: "UNSPEC" }),
  "direct, no header": new Uint8Array(),
};

Deno.test("the table of the README says what addresses are shown", async (t) => {
  const section = sectionOf(README, "The client's address");
  const rows = Array.from(
    section.matchAll(/^\| .*/gm),
    ([line]) => line.slice(1, -1).split("|").map((cell) => cell.trim()),
  ).slice(2);
  assertEquals(rows.map(([name]) => name), Object.keys(ARRIVALS));
  for (const [name = "", ...said] of rows) {
    await t.step(name, async () => {
      using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
      using client = await Deno.connect({ port: listener.addr.port });
      const bytes = ARRIVALS[name] ?? new Uint8Array();
      const isDirect = bytes.length === 0;
      await client.write(bytes);
      const { info, conn } = await accept(
        await listener.accept(),
        isDirect
          ? { trust: "none", untrusted: "direct" }
          : { trust: ["loopback"] },
      );
      const { remoteAddr, hopAddr } = conn;
      conn.close();
      assertEquals(hopAddr.hostname, "127.0.0.1");
      const isHop = remoteAddr.port === hopAddr.port;
      assertEquals([
        isHop && !isDirect ? "the hop" : "the client",
        info === undefined ? "`undefined`" : "the header",
        info?.source === undefined ? "`undefined`" : "the client",
      ], said.map((cell) => cell || "`undefined`"));
      assertEquals(remoteAddr.hostname, isHop ? "127.0.0.1" : "192.0.2.1");
    });
  }
});
