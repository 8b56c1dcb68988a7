/** Runs the programs of `conn/README.md` from the npm package, as a copy of them would run. */

import { assertEquals } from "@std/assert";
import { esbuildProgram, workerdProgram } from "../_npm.ts";
import { freePort } from "../_ports.ts";
import {
  ELYSIA,
  EXPRESS,
  FASTIFY,
  HONO,
  HONO_NODE_SERVER,
  HTTP_PROXY,
  OPENTELEMETRY,
  PINO,
  PROM_CLIENT,
  SRVX,
  UNDICI,
} from "../_versions.ts";
import { install, mustRun, pack } from "../npm_consumer/_package.ts";
import * as checks from "./_checks.ts";
import { onFreePort, type Program, RUNTIMES, start } from "./_programs.ts";
import {
  onLoopback,
  programsIn,
  programUnder,
  readPage,
  sectionOf,
} from "./_readme.ts";

const PAGE = await readPage("conn/README.md");

/** What the program under each heading has to do. */
const RECIPES: Readonly<Record<string, checks.Check>> = {
  "Express": checks.overHttp,
  "Fastify": checks.overHttp,
  "Hono": checks.overHttp,
  "srvx, or any fetch handler": checks.overHttp,
  "Hono on Bun.serve": checks.overHttp,
  "Elysia on Bun.serve": checks.overHttp,
  "Hono on Deno.serve": checks.overHttp,
  "HTTPS and HTTP/2": checks.overHttps,
  "TLS after the header": checks.greetedInTls,
  "TLS ended at the balancer": checks.endedTls,
  "Relay with Deno.listen": checks.relayedWithMore,
  "Relay with Bun.listen": checks.relayed,
  "Sessions": checks.firstOnly,
  "Sessions with Bun.udpSocket": checks.each,
  "Sessions with Deno.listenDatagram": checks.each,
  "Cloudflare Spectrum's Simple Proxy Protocol": checks.simple,
  "Single datagrams": checks.each,
  "Single datagrams of Simple Proxy Protocol": checks.simple,
  "Greet before the header": checks.afterGreeting,
  "Greet before the header with node:net": checks.afterGreeting,
  "Receive signed headers": checks.signatures,
  "Reverse proxy with node:http": checks.reverse,
  "Reverse proxy with http-proxy or httpxy": checks.reverse,
  "Reverse proxy with undici": checks.reverse,
  "Metrics with prom-client": checks.metrics,
  "Metrics with OpenTelemetry": checks.meters,
  "Traces with OpenTelemetry": checks.traces,
  "Logs with pino": checks.logs,
};

/** Headings whose programs have tests of their own, here and in `workers_test.ts`. */
const OTHERS: readonly string[] = ["Send signed headers", "Receive and answer"];

/** A heading such as `Express (Node, Deno, Bun)`. */
const HEADING_REGEXP = /^### (.*) \((.*)\)$/gm;

/** The titles of the page, with what their headings name. */
const TITLES = Array.from(
  PAGE.matchAll(HEADING_REGEXP),
  ([, title = "", names = ""]) => ({ title, names: names.split(", ") }),
);

/** Starts a program on a runtime, with what the recipes need of it. */
function run(runtime: string, folder: string, file: string): Program {
  const [command = "", ...args] = RUNTIMES[runtime] ?? [];
  const flags = runtime === "Deno" ? ["--unstable-net"] : [];
  return start(
    ["env", `PROXY_KEY=${checks.KEY}`, command, ...args, ...flags, file],
    folder,
  );
}

Deno.test("each program of conn/README.md has a test", () => {
  const untested = TITLES.filter(({ title, names }) =>
    !(title in RECIPES) && !OTHERS.includes(title) &&
    !names.includes("Workers")
  );
  assertEquals(untested, []);
  const titles = TITLES.map(({ title }) => title);
  const gone = Object.keys(RECIPES).filter((title) => !titles.includes(title));
  assertEquals(gone, []);
  const headings = PAGE.match(/^### .*$/gm) ?? [];
  const programs = headings.filter((heading) =>
    programsIn(sectionOf(PAGE, heading.slice(4))).length > 0
  );
  assertEquals(programs.length, TITLES.length);
});

Deno.test("the programs of conn/README.md do what they say", async (t) => {
  const folder = await Deno.makeTempDir({ prefix: "recipes-" });
  const write = async (
    file: string,
    heading: string,
    listen: number,
    other = 0,
  ): Promise<void> =>
    await Deno.writeTextFile(
      `${folder}/${file}`,
      onLoopback(programUnder(PAGE, heading), { listen, dial: other })
        .replaceAll(/\b9100\b/g, `${other}`),
    );
  try {
    await Deno.writeTextFile(`${folder}/package.json`, '{"type":"module"}');
    for (const name of ["cert.pem", "key.pem"]) {
      await Deno.copyFile(
        new URL(`../data/${name}`, import.meta.url),
        `${folder}/${name}`,
      );
    }
    await pack(`${folder}/package.tgz`);
    await install(
      folder,
      "./package.tgz",
      ...[ELYSIA, EXPRESS, FASTIFY, HONO, HONO_NODE_SERVER, SRVX],
      ...[PROM_CLIENT, ...OPENTELEMETRY, PINO],
      ...[HTTP_PROXY, UNDICI],
    );
    for (const { title, names } of TITLES) {
      const check = RECIPES[title];
      if (check === undefined) continue;
      for (const runtime of names.filter((name) => name in RUNTIMES)) {
        await t.step(
          `${title} on ${runtime}`,
          () =>
            onFreePort(async (port) => {
              const other = freePort();
              await write("main.ts", `${title} (`, port, other);
              await using program = run(runtime, folder, "main.ts");
              await check(program, port, other);
            }),
        );
      }
    }
    await t.step(
      "Receive and answer on workerd",
      () =>
        onFreePort(async (port) => {
          const heading = "Receive and answer";
          await write("worker.ts", heading, port);
          await Deno.writeTextFile(
            `${folder}/config.capnp`,
            programUnder(PAGE, heading, "capnp")
              .replace("*:8080", `127.0.0.1:${port}`),
          );
          const bundling = ["--bundle", "--format=esm", "--outfile=worker.js"];
          await mustRun(folder, esbuildProgram(), "worker.ts", ...bundling);
          await using program = start(
            [workerdProgram(), "serve", "--experimental", "config.capnp"],
            folder,
          );
          await checks.overHttp(program, port, 0);
        }),
    );
    for (const runtime of Object.keys(RUNTIMES)) {
      await t.step(
        `what is sent signed is received, on ${runtime}`,
        () =>
          onFreePort(async (port) => {
            await write("main.ts", "Receive signed", port);
            await write("sender.ts", "Send signed", port);
            await using receiver = run(runtime, folder, "main.ts");
            (await receiver.dial(port)).close(); // it listens
            await using sender = run(runtime, folder, "sender.ts");
            await receiver.printed(`signed: ${checks.CLIENT}`);
            await sender.printed("hello");
          }),
      );
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
