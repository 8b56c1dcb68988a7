/** What `./register` does not start, what it ends, and what it leaves alone. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { freePort } from "../_ports.ts";
import { commandOn, makeProject, run, RUNTIMES } from "./_project.ts";

const TRUST = { PROXY_PROTOCOL_TRUST: "loopback" };
const EVERYWHERE = Object.keys(RUNTIMES);

/** Variables, and why the program does not start with them. */
const WRONG: [variables: Record<string, string>, message: string][] = [
  [{}, "PROXY_PROTOCOL_TRUST is not set"],
  [
    { PROXY_PROTOCOL_TRSUT: "any" },
    `Cannot read PROXY_PROTOCOL_TRSUT: unknown variable, did you mean "PROXY_PROTOCOL_TRUST"?`,
  ],
  [
    { ...TRUST, PROXY_PROTOCOL_PORT: "80" },
    `Cannot read PROXY_PROTOCOL_PORT: unknown variable, did you mean "PROXY_PROTOCOL_PORTS"?`,
  ],
  [
    { PROXY_PROTOCOL_TRUST: "" },
    `Cannot read PROXY_PROTOCOL_TRUST="": Cannot read trust[0]`,
  ],
  [
    { PROXY_PROTOCOL_TRUST: "any,10.0.0.0/8" },
    `Cannot read PROXY_PROTOCOL_TRUST="any,10.0.0.0/8": Cannot read trust[0]`,
  ],
  [
    { PROXY_PROTOCOL_TRUST: "10.1.2.3/8" },
    `Cannot read PROXY_PROTOCOL_TRUST="10.1.2.3/8": Cannot read trust[0]`,
  ],
  [
    { ...TRUST, PROXY_PROTOCOL_UNTRUSTED: "refuse" },
    `Cannot read PROXY_PROTOCOL_UNTRUSTED="refuse"`,
  ],
  [
    { ...TRUST, PROXY_PROTOCOL_HEADER: "requires" },
    `expected require, optional, discard, did you mean "require"?`,
  ],
  [
    { ...TRUST, PROXY_PROTOCOL_TIMEOUT: "5s" },
    `Cannot read PROXY_PROTOCOL_TIMEOUT="5s": expected a whole number or Infinity`,
  ],
  [
    { ...TRUST, PROXY_PROTOCOL_TIMEOUT: "0" },
    `Cannot read PROXY_PROTOCOL_TIMEOUT="0": Cannot read timeout: must be 1`,
  ],
  [
    { ...TRUST, PROXY_PROTOCOL_UNMAP: "yes" },
    `Cannot read PROXY_PROTOCOL_UNMAP="yes": expected true, 1, false or 0`,
  ],
  [
    { ...TRUST, PROXY_PROTOCOL_LAZY: "" },
    `Cannot read PROXY_PROTOCOL_LAZY="": expected true, 1, false or 0`,
  ],
  [
    { ...TRUST, PROXY_PROTOCOL_MAX_PENDING: "0" },
    `Cannot read PROXY_PROTOCOL_MAX_PENDING="0": Cannot read maxPending`,
  ],
  ...["", "http", "0", "70000", "80-90", "80,,81"].map(
    (ports): [Record<string, string>, string] => [
      { ...TRUST, PROXY_PROTOCOL_PORTS: ports },
      `Cannot read PROXY_PROTOCOL_PORTS="${ports}": expected ports from 1 to 65535`,
    ],
  ),
];

const UDP = `import { createSocket } from "node:dgram";
createSocket("udp4").bind(`;
const WORKER = `new Worker(new URL("./idle.js", import.meta.url));`;
const NAMED_WORKER = `import { Worker } from "node:worker_threads";
${WORKER}`;

/** Programs that end when they listen where no header can be expected. */
const ENDED: {
  name: string;
  runtimes: string[];
  program: (port: number) => string;
  variables?: (port: number) => Record<string, string>;
  message: string;
}[] = [
  {
    name: "UDP on a port",
    runtimes: EVERYWHERE,
    program: (port) => `${UDP}${port});`,
    message: "receives UDP",
  },
  {
    name: "UDP on a port of the list",
    runtimes: EVERYWHERE,
    program: (port) => `${UDP}{ port: ${port}, address: "127.0.0.1" });`,
    variables: (port) => ({ PROXY_PROTOCOL_PORTS: `${port}` }),
    message: "receives UDP",
  },
  {
    name: "Bun.udpSocket",
    runtimes: ["Bun"],
    program: (port) =>
      `await Bun.udpSocket({ port: ${port}, hostname: "127.0.0.1" });`,
    message: "receives UDP",
  },
  {
    name: "Deno.listenDatagram",
    runtimes: ["Deno"],
    program: (port) =>
      `Deno.listenDatagram({ transport: "udp", port: ${port} });`,
    message: "receives UDP",
  },
  {
    name: "Deno.QuicEndpoint",
    runtimes: ["Deno"],
    program: (port) => `new Deno.QuicEndpoint({ port: ${port} });`,
    message: "receives UDP",
  },
  {
    name: "HTTP/3",
    runtimes: ["Bun"],
    program: () => `Bun.serve({ port: 0, http3: true, fetch() {} });`,
    message: "Cannot serve HTTP/3",
  },
  {
    name: "a Worker",
    runtimes: ["Deno"],
    program: () =>
      `new Worker(new URL("./idle.js", import.meta.url), { type: "module" });`,
    message: "starts a worker",
  },
  {
    name: "a Worker of node:worker_threads",
    runtimes: ["Deno"],
    program: () => NAMED_WORKER,
    message: "starts a worker",
  },
  {
    name: "a process of node:cluster",
    runtimes: ["Deno"],
    program: () => `import cluster from "node:cluster"; cluster.fork();`,
    message: "starts a worker",
  },
  {
    name: "a Worker of node:worker_threads by its name",
    runtimes: ["Bun"],
    program: () => NAMED_WORKER,
    message: "by an imported name",
  },
  {
    name: "a server that listens on a port of the list, then on another",
    runtimes: EVERYWHERE,
    program: (port) =>
      `import { createServer } from "node:net";
const server = createServer();
server.listen(${port}, "127.0.0.1", () => {
  server.close(() => server.listen(${port + 1}, "127.0.0.1"));
});`,
    variables: (port) => ({ PROXY_PROTOCOL_PORTS: `${port}` }),
    message: "which PROXY_PROTOCOL_PORTS does not have",
  },
  {
    name: "Deno.serve moved to a port of the list",
    runtimes: ["Deno"],
    program: () => `Deno.serve({ port: 1 }, () => new Response());`,
    variables: (port) => ({
      PROXY_PROTOCOL_PORTS: `${port}`,
      DENO_SERVE_ADDRESS: `tcp:127.0.0.1:${port}`,
    }),
    message: "without the PROXY protocol",
  },
  {
    name: "Deno.serve moved from a port of the list",
    runtimes: ["Deno"],
    program: (port) => `Deno.serve({ port: ${port} }, () => new Response());`,
    variables: (port) => ({
      PROXY_PROTOCOL_PORTS: `${port}`,
      DENO_SERVE_ADDRESS: `tcp:127.0.0.1:${port + 1}`,
    }),
    message: "which PROXY_PROTOCOL_PORTS does not have",
  },
  {
    name: "Deno.serve with clients that name themselves",
    runtimes: ["Deno"],
    program: () => `Deno.serve({ port: 0 }, () => new Response());`,
    variables: () => ({ DENO_TRUST_PROXY_HEADERS: "1" }),
    message: "x-deno-client-address",
  },
];

/** A server that asks itself as a client without a header; prints the answer. */
const ASK_ITSELF = `import { connect, createServer } from "node:net";
import process from "node:process";
const server = createServer((socket) => socket.end("answer"));
server.listen(PLACE, () => {
  const client = connect(server.address().port ?? PLACE);
  let answer = "";
  client.on("data", (chunk) => answer += chunk);
  client.on("error", () => {});
  client.on("close", () => {
    console.log(answer || "nothing");
    process.exit();
  });
  client.write("hello");
});`;

const asks = (place: string) => ASK_ITSELF.replaceAll("PLACE", place);

/** A worker that asks itself, and what starts it. */
const IN_WORKER = "in_worker.js";

/** Programs that go their way, and what they print. */
const RUNNING: {
  name: string;
  runtimes: string[];
  program: (port: number) => string;
  variables?: (port: number) => Record<string, string>;
  printed: string;
}[] = [
  {
    name: "a client of UDP",
    runtimes: EVERYWHERE,
    program: () => `${UDP}0, () => { console.log("bound"); process.exit(); });`,
    printed: "bound",
  },
  {
    name: "UDP on a port that is not in the list",
    runtimes: EVERYWHERE,
    program: (port) =>
      `${UDP}${port}, () => { console.log("bound"); process.exit(); });`,
    variables: () => ({ PROXY_PROTOCOL_PORTS: "1" }),
    printed: "bound",
  },
  {
    name: "a port that is not in the list",
    runtimes: EVERYWHERE,
    program: (port) => asks(`${port}`),
    variables: () => ({ PROXY_PROTOCOL_PORTS: "1" }),
    printed: "answer",
  },
  {
    name: "a port of the list",
    runtimes: EVERYWHERE,
    program: (port) => asks(`${port}`),
    variables: (port) => ({ PROXY_PROTOCOL_PORTS: `1, ${port}` }),
    printed: "nothing",
  },
  {
    name: "a UNIX socket",
    runtimes: EVERYWHERE,
    program: (port) => asks(`"./${port}.sock"`),
    printed: "answer",
  },
  {
    name: "a UNIX socket that is trusted",
    runtimes: EVERYWHERE,
    program: (port) => asks(`"./${port}.sock"`),
    variables: () => ({ PROXY_PROTOCOL_TRUST: "loopback,unix" }),
    printed: "nothing",
  },
  {
    name: "direct clients",
    runtimes: EVERYWHERE,
    program: (port) => asks(`${port}`),
    variables: () => ({
      PROXY_PROTOCOL_TRUST: "none",
      PROXY_PROTOCOL_UNTRUSTED: "loopback",
    }),
    printed: "answer",
  },
  {
    name: "a server that speaks first",
    runtimes: EVERYWHERE,
    // A client that says nothing: what it says would be no header.
    program: (port) => asks(`${port}`).replace(`client.write("hello");`, ""),
    variables: () => ({ PROXY_PROTOCOL_LAZY: "1" }),
    printed: "answer",
  },
  {
    name: "a server that the program has wrapped",
    runtimes: EVERYWHERE,
    program: (port) =>
      asks(`${port}`).replace("server.listen", "wrap(server).listen")
        .replace(
          "import",
          `import { proxied } from "@edgewire/proxy-protocol/node";
const wrap = (server) => proxied(server, { trust: "none", untrusted: "direct" });
import`,
        ),
    printed: "answer",
  },
  {
    name: "a thread with arguments and an environment of its own",
    runtimes: ["Node"],
    program: () =>
      `import { Worker } from "node:worker_threads";
new Worker(new URL("./${IN_WORKER}", import.meta.url), { execArgv: [], env: {} });`,
    printed: "nothing",
  },
  {
    name: "a Worker",
    runtimes: ["Bun"],
    program: () => `new Worker(new URL("./${IN_WORKER}", import.meta.url));`,
    printed: "nothing",
  },
  {
    name: "a Worker that is required",
    runtimes: ["Bun"],
    program: () =>
      `import { createRequire } from "node:module";
const { Worker } = createRequire(import.meta.url)("node:worker_threads");
new Worker(new URL("./${IN_WORKER}", import.meta.url));`,
    printed: "nothing",
  },
  {
    name: "a process of node:cluster",
    runtimes: ["Node", "Bun"],
    program: () =>
      `import cluster from "node:cluster";
if (cluster.isPrimary) cluster.fork().on("exit", () => process.exit());
else await import("./${IN_WORKER}");`,
    printed: "nothing",
  },
];

Deno.test("./register ends what it cannot put behind the PROXY protocol, and nothing else", async (t) => {
  const folder = await makeProject();
  let count = 0;
  const write = async (program: string): Promise<string> => {
    const file = `case_${++count}.js`;
    await Deno.writeTextFile(`${folder}/${file}`, program);
    return file;
  };
  try {
    await Deno.writeTextFile(`${folder}/idle.js`, "");
    await Deno.writeTextFile(
      `${folder}/${IN_WORKER}`,
      asks(`{ port: ${freePort()}, host: "127.0.0.1" }`),
    );
    const started = await write(`console.log("started");`);
    for (const [i, [variables, message]] of WRONG.entries()) {
      // Variables are read alike everywhere, so each is tried on one runtime.
      const runtime = EVERYWHERE[i % EVERYWHERE.length] ?? "";
      await t.step(
        `${runtime} does not start with ${JSON.stringify(variables)}`,
        async () => {
          const { code, stdout, stderr } = await run(
            commandOn(runtime, variables, started),
            folder,
          );
          assertStringIncludes(stderr, message);
          assertEquals({ code, stdout }, { code: 1, stdout: "" });
        },
      );
    }

    await t.step(
      "Deno does not start if it may not read variables",
      async () => {
        const [program, ...args] = commandOn("Deno", TRUST, started);
        const { code, stdout, stderr } = await run([
          program,
          ...args.map((arg) => arg === "-A" ? "--allow-net" : arg),
        ], folder);
        assertStringIncludes(stderr, "add --allow-env");
        assertEquals({ code, stdout }, { code: 1, stdout: "" });
      },
    );

    await t.step("Deno starts if it may read these variables", async () => {
      const [program, ...args] = commandOn("Deno", TRUST, started);
      const allowed = "--allow-env=PROXY_PROTOCOL_*";
      const { stdout, stderr } = await run([
        program,
        ...args.map((arg) => arg === "-A" ? allowed : arg),
      ], folder);
      assertEquals(stdout, "started\n", stderr);
    });

    for (const { name, runtimes, program, variables, message } of ENDED) {
      for (const runtime of runtimes) {
        await t.step(`${runtime} ends with ${name}`, async () => {
          const port = freePort();
          const file = await write(program(port));
          const { code, stderr } = await run(
            commandOn(runtime, { ...TRUST, ...variables?.(port) }, file),
            folder,
          );
          assertStringIncludes(stderr, message);
          assertEquals(code, 1, stderr);
        });
      }
    }

    for (const { name, runtimes, program, variables, printed } of RUNNING) {
      for (const runtime of runtimes) {
        await t.step(`${runtime} runs ${name}: ${printed}`, async () => {
          const port = freePort();
          const file = await write(program(port));
          const { stdout, stderr } = await run(
            commandOn(runtime, { ...TRUST, ...variables?.(port) }, file),
            folder,
          );
          assertEquals(stdout, `${printed}\n`, stderr);
        });
      }
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
