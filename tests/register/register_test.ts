/** `./register` before programs that know nothing of it, on each runtime. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { once } from "node:events";
import { connect } from "node:net";
import { encode } from "../../mod.ts";
import { concat, utf8 } from "../_bytes.ts";
import { freePort } from "../_ports.ts";
import { within } from "../_within.ts";
import { onFreePort, type Program, start } from "../recipes/_programs.ts";
import { commandOn, makeProject, run, RUNTIMES } from "./_project.ts";

const CLIENT = "192.0.2.7";
const TRUST = { PROXY_PROTOCOL_TRUST: "loopback" };
const GET = "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
const QUERY = JSON.stringify({ query: "{ client }" });
const POST = "POST / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n" +
  "Content-Type: application/json\r\n" +
  `Content-Length: ${QUERY.length}\r\n\r\n${QUERY}`;

function headerOf(hostname: string): Uint8Array {
  return encode({
    source: { transport: "tcp", hostname, port: 51234 },
    destination: { transport: "tcp", hostname: "198.51.100.9", port: 443 },
  });
}

/** What a program answers; nothing if it closes the connection. */
async function ask(
  program: Program,
  port: number,
  ...bytes: Uint8Array[]
): Promise<string> {
  using conn = await program.dial(port);
  await conn.write(concat(bytes));
  const answer = new Response(conn.readable).text().catch(() => "");
  return await within(answer, "an answer");
}

/** Programs, with the arguments of each if it is one of somebody else. */
const PROGRAMS: {
  name: string;
  args: (port: number) => string[];
  runtimes: string[];
  request?: string;
  /** Says the client in its log, not in the answer. */
  logs?: boolean;
}[] = [
  {
    name: "Apollo's startStandaloneServer",
    args: () => ["apollo.js"],
    runtimes: ["Node", "Deno", "Bun"],
    request: POST,
  },
  {
    name: "PeerServer",
    args: () => ["peer.js"],
    runtimes: ["Node", "Deno", "Bun"],
    request: GET.replace("/", "/who"), // it answers "/" itself
  },
  {
    name: "http-server",
    args: (port) => [
      "node_modules/http-server/bin/http-server",
      ...["-p", `${port}`, "-a", "127.0.0.1", "--log-ip"],
    ],
    runtimes: ["Node", "Deno", "Bun"],
    logs: true,
  },
  { name: "Elysia's .listen()", args: () => ["elysia.js"], runtimes: ["Bun"] },
  {
    name: "Hono by export default",
    args: () => ["hono.js"],
    runtimes: ["Bun"],
  },
  { name: "Deno.serve", args: () => ["deno_serve.js"], runtimes: ["Deno"] },
];

/** What servers of a program itself show, by the program. */
const SERVERS: Readonly<
  Record<string, { runtimes: string[]; shown: Record<string, string> }>
> = {
  "node_servers.js": {
    runtimes: ["Node", "Deno", "Bun"],
    shown: {
      net: CLIENT,
      http: CLIENT,
      https: CLIENT,
      tls: CLIENT,
      http2: CLIENT,
    },
  },
  "bun_servers.js": {
    runtimes: ["Bun"],
    shown: {
      "Bun.serve": CLIENT,
      "Bun.listen": `hello ${CLIENT}`,
      "listener.reload": `reloaded ${CLIENT}`,
      "Bun.serve with TLS": CLIENT,
      "Bun.listen with TLS": `hello ${CLIENT}`,
      "listener.reload with TLS": `reloaded ${CLIENT}`,
      "before socket.reload": "first",
      "socket.reload": CLIENT,
    },
  },
  "deno_servers.js": {
    runtimes: ["Deno"],
    shown: {
      "Deno.serve": CLIENT,
      "Deno.serve with its handler inside": CLIENT,
      "Deno.serve with TLS": CLIENT,
      "Deno.listen": CLIENT,
      "Deno.listenTls": CLIENT,
    },
  },
};

Deno.test("./register puts programs behind the PROXY protocol unchanged", async (t) => {
  const folder = await makeProject();
  try {
    for (const { name, args, runtimes, request = GET, logs } of PROGRAMS) {
      for (const runtime of runtimes) {
        await t.step(`${name} on ${runtime}`, () =>
          onFreePort(async (port) => {
            const variables = { ...TRUST, PORT: `${port}` };
            await using program = start(
              commandOn(runtime, variables, ...args(port)),
              folder,
            );
            const answer = await ask(
              program,
              port,
              headerOf(CLIENT),
              utf8(request),
            );
            if (logs) await program.printed(CLIENT);
            else assertStringIncludes(answer, CLIENT);
            await program.printed(`:${port} is behind the PROXY protocol`);
            assertEquals(await ask(program, port, utf8(request)), "");
            await program.printed("No PROXY header from ");
          }));
      }
    }

    for (const runtime of Object.keys(RUNTIMES)) {
      await t.step(
        `ftp-srv on ${runtime}, its passive ports excluded`,
        () => onFreePort((port) => transfer(runtime, folder, port)),
      );
    }

    for (const [file, { runtimes, shown }] of Object.entries(SERVERS)) {
      for (const runtime of runtimes) {
        await t.step(`${file} on ${runtime}`, async () => {
          const command = commandOn(runtime, TRUST, file);
          const { stdout, stderr } = await run(command, folder);
          const lines = Object.entries(shown).map(([name, text]) =>
            `${name}: ${text}, without a header nothing\n`
          );
          if (file.startsWith("node")) {
            lines.push(`http2 without TLS: ${CLIENT}\n`);
          }
          assertEquals(stdout, lines.join(""), stderr);
        });
      }
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

/**
 * Gets a list of files. The data come by a connection of their own without a
 * header, and ftp-srv lets in only the address of the client there.
 */
async function transfer(
  runtime: string,
  folder: string,
  port: number,
): Promise<void> {
  const client = "127.0.0.2";
  const variables = {
    ...TRUST,
    PORT: `${port}`,
    PROXY_PROTOCOL_PORTS: `${port}, ${freePort()}`,
  };
  await using program = start(commandOn(runtime, variables, "ftp.js"), folder);
  using conn = await program.dial(port);
  const replies = conn.readable.pipeThrough(new TextDecoderStream())
    .getReader();
  let received = "";
  const reply = async (code: string): Promise<string> => {
    const pattern = new RegExp(`^${code} .*\r\n`, "m");
    for (;;) {
      const [line] = pattern.exec(received) ?? [];
      if (line !== undefined) return line;
      const { value, done } = await within(replies.read(), code);
      if (done) throw new Error(`No ${code}: ${received}`);
      received += value;
    }
  };
  const send = (line: string) => conn.write(utf8(`${line}\r\n`));
  await conn.write(headerOf(client));
  await reply("220");
  await send("USER anonymous");
  await reply("230");
  await program.printed(`client ${client}`);
  await send("PASV");
  const [, high, low] = /,(\d+),(\d+)\)/.exec(await reply("227")) ?? [];
  const data = connect({
    host: "127.0.0.1",
    port: Number(high) * 256 + Number(low),
    localAddress: client,
  });
  await within(once(data, "connect"), "a connection of data");
  await send("NLST");
  const listed = await within(
    data.setEncoding("utf8").toArray(),
    "a list of files",
  );
  assertStringIncludes(listed.join(""), "ftp.js");
  await reply("226");
  await replies.cancel();
  assertEquals(await ask(program, port, utf8("USER anonymous\r\n")), "");
}
