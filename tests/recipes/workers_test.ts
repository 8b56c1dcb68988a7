/**
 * Runs the Workers of `conn/README.md` on workerd, without its experimental
 * flag, before a real haproxy that says what it was told.
 *
 * @module
 */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { encode } from "../../mod.ts";
import { utf8 } from "../_bytes.ts";
import { esbuildProgram, workerdProgram } from "../_npm.ts";
import { within } from "../_within.ts";
import { install, mustRun, pack } from "../npm_consumer/_package.ts";
import { isMissing, start as startSystem } from "../proof/interop/_system.ts";
import { onFreePort, type Program, start } from "./_programs.ts";
import { onLoopback, programUnder, readPage } from "./_readme.ts";

const PAGE = await readPage("conn/README.md");
const CLIENT = "2001:db8::7";

/** An haproxy that answers by HTTP whom it was told of: in plain text, and in TLS. */
function startHaproxy() {
  return startSystem(2, async ({ directory, ports, certFile, keyFile }) => {
    const [plain = 0, tls = 0] = ports;
    const pem = `${directory}/both.pem`;
    const both = [certFile, keyFile].map((file) => Deno.readTextFile(file));
    await Deno.writeTextFile(pem, (await Promise.all(both)).join("\n"));
    const file = `${directory}/haproxy.cfg`;
    await Deno.writeTextFile(
      file,
      `
defaults
  mode http
  timeout connect 5s
  timeout client 5s
  timeout server 5s
frontend told
  bind 127.0.0.1:${plain} accept-proxy
  bind 127.0.0.1:${tls} accept-proxy ssl crt ${pem}
  http-request return status 200 content-type text/plain lf-string "client %[src] tls %[ssl_fc]\\n"
`,
    );
    return {
      program: "haproxy",
      args: ["-db", "-q", "-f", file],
      ready: [plain, tls],
    };
  });
}

/** What workerd listens on, and whom its Worker may dial. */
function configOf(kind: "http" | "tcp", port: number): string {
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = (
      modules = [(name = "worker", esModule = embed "worker.js")],
      compatibilityDate = "2026-11-01",
    )),
    (name = "internet", network = (
      allow = ["private"],
      tlsOptions = (trustedCertificates = [embed "cert.pem"]),
    )),
  ],
  sockets = [(name = "outer", address = "127.0.0.1:${port}", ${kind} = (), service = "main")],
);
`;
}

/** Asks a Worker by HTTP, as Cloudflare would pass a client on. */
async function ask(port: number, program: Program): Promise<string> {
  (await program.dial(port)).close(); // it listens
  const response = await within(
    fetch(`http://127.0.0.1:${port}/`, {
      headers: { "CF-Connecting-IP": CLIENT },
    }),
    "the Worker",
  );
  return await response.text();
}

/** Talks to a Worker by WebSocket until an answer has a text. */
async function talk(port: number, program: Program): Promise<string> {
  (await program.dial(port)).close();
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const socket = new WebSocket(`ws://127.0.0.1:${port}/`, {
    headers: { "CF-Connecting-IP": CLIENT },
  });
  socket.binaryType = "arraybuffer";
  let answer = "";
  socket.onopen = () => socket.send("GET / HTTP/1.0\r\n\r\n");
  socket.onmessage = ({ data }) => {
    answer += typeof data === "string" ? data : new TextDecoder().decode(data);
  };
  socket.onclose = () => resolve(answer);
  socket.onerror = () => reject(new Error("The WebSocket fails"));
  return await within(promise, "the end of the WebSocket");
}

/** Sends a header and a request to a Worker that relays. */
async function sendThrough(port: number, program: Program): Promise<string> {
  using conn = await program.dial(port);
  await conn.write(encode({
    source: { transport: "tcp", hostname: CLIENT, port: 0 },
    destination: { transport: "tcp", hostname: "2001:db8::1", port: 443 },
  }));
  await conn.write(utf8("GET / HTTP/1.0\r\n\r\n"));
  return await within(new Response(conn.readable).text(), "the answer");
}

/** A Worker that connects to the services bound to it, and says what they answer. */
const OUTER = `
import { writeHeader } from "@edgewire/proxy-protocol";

export default {
  async fetch(request, { list, any }) {
    const answers = [];
    for (const service of [list, any]) {
      try {
        const socket = service.connect("inner:1");
        await writeHeader(socket, {
          source: { transport: "tcp", hostname: "${CLIENT}", port: 1 },
          destination: { transport: "tcp", hostname: "::1", port: 2 },
        });
        answers.push(await new Response(socket.readable).text());
      } catch {
        answers.push("closed");
      }
    }
    return new Response(answers.join());
  },
};
`;

/** The service that it is bound to, with a `trust` of its own. */
const INNER = `
import { accept } from "@edgewire/proxy-protocol";

export default {
  async connect(socket, { trust }) {
    try {
      const { conn } = await accept(socket, { trust });
      await conn.write(new TextEncoder().encode(conn.remoteAddr.hostname));
      await conn.closeWrite();
    } catch (error) {
      console.log(error.message);
    }
  },
};
`;

/** A Worker in a configuration, with what it is bound to. */
function serviceOf(name: string, file: string, bindings: string): string {
  return `(name = "${name}", worker = (
    modules = [(name = "worker", esModule = embed "${file}.js")],
    compatibilityDate = "2026-11-01",
    bindings = [${bindings}],
  ))`;
}

/** The whole of it: one service trusts every address, the other anybody. */
function bindingConfigOf(port: number): string {
  const trust = (value: unknown) =>
    `(name = "trust", json = ${JSON.stringify(JSON.stringify(value))})`;
  const services = [
    serviceOf(
      "main",
      "outer",
      '(name = "list", service = "list"), (name = "any", service = "any")',
    ),
    serviceOf("list", "inner", trust(["0.0.0.0/0", "::/0", "unix"])),
    serviceOf("any", "inner", trust("any")),
  ];
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [${services.join()}],
  sockets = [(name = "outer", address = "127.0.0.1:${port}", http = (), service = "main")],
);
`;
}

const RECIPES = [
  { heading: "WebSocket to TCP", kind: "http", tls: 0, get: talk },
  { heading: "TLS after the header (Workers", kind: "http", tls: 1, get: ask },
  { heading: "Receive and relay", kind: "tcp", tls: 0, get: sendThrough },
] as const;

Deno.test({
  name: "the Workers of conn/README.md tell haproxy who the client is",
  ignore: isMissing("haproxy"),
  async fn(t) {
    const folder = await Deno.makeTempDir({ prefix: "workers-" });
    await using haproxy = await startHaproxy();
    try {
      await Deno.writeTextFile(`${folder}/package.json`, '{"type":"module"}');
      await Deno.copyFile(
        new URL("../data/cert.pem", import.meta.url),
        `${folder}/cert.pem`,
      );
      await pack(`${folder}/package.tgz`);
      await install(folder, "./package.tgz");
      for (const { heading, kind, tls, get } of RECIPES) {
        await t.step(heading, () =>
          onFreePort(async (port) => {
            const dial = haproxy.ports[tls] ?? 0;
            await Deno.writeTextFile(
              `${folder}/main.ts`,
              onLoopback(
                programUnder(PAGE, heading)
                  .replaceAll("port: 8080", `port: ${dial}`)
                  .replaceAll(
                    '10.0.0.9", port: 443',
                    `10.0.0.9", port: ${dial}`,
                  ),
                { listen: port, dial: 443 },
              ),
            );
            await mustRun(
              folder,
              esbuildProgram(),
              ...["main.ts", "--bundle", "--format=esm"],
              ...["--external:cloudflare:sockets", "--outfile=worker.js"],
            );
            await Deno.writeTextFile(
              `${folder}/config.capnp`,
              configOf(kind, port),
            );
            await using program = start(
              [workerdProgram(), "serve", "config.capnp"],
              folder,
            );
            assertStringIncludes(
              await get(port, program),
              `client ${CLIENT} tls ${tls}`,
            );
          }));
      }
      await t.step(
        "a peer through a service binding has no address",
        () =>
          onFreePort(async (port) => {
            for (const [file, text] of Object.entries({ OUTER, INNER })) {
              const name = file.toLowerCase();
              await Deno.writeTextFile(`${folder}/${name}.ts`, text);
              await mustRun(
                folder,
                esbuildProgram(),
                ...[`${name}.ts`, "--bundle", "--format=esm"],
                `--outfile=${name}.js`,
              );
            }
            await Deno.writeTextFile(
              `${folder}/config.capnp`,
              bindingConfigOf(port),
            );
            await using program = start(
              [workerdProgram(), "serve", "config.capnp"],
              folder,
            );
            const [list, any] = (await ask(port, program)).split(",");
            await program.printed(
              "Cannot accept a PROXY header from a peer without an address: not trusted",
            );
            assertEquals(any, CLIENT);
            assert(list === "closed" || list === "", list);
          }),
      );
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});
