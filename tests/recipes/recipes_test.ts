/**
 * Runs the programs of the README from the npm package, as somebody who copies
 * them would: each in turn on every runtime that its heading names.
 */

import { assertEquals } from "@std/assert";
import {
  accept,
  decodeSimpleDatagram,
  encode,
  encodeDatagram,
  encodeSimpleDatagram,
} from "../../mod.ts";
import { concat, utf8 } from "../_bytes.ts";
import { within } from "../_within.ts";
import { CERT } from "../conn/_loopback.ts";
import { install, mustRun, pack } from "../npm_consumer/_package.ts";
import { esbuildProgram, workerdProgram } from "../_npm.ts";
import {
  EXPRESS,
  FASTIFY,
  HONO,
  HONO_NODE_SERVER,
  SRVX,
} from "../_versions.ts";
import {
  exchange,
  onFreePort,
  type Program,
  RUNTIMES,
  start,
} from "./_programs.ts";
import { onLoopback, programUnder } from "./_readme.ts";

const PACKAGES = [EXPRESS, FASTIFY, HONO, HONO_NODE_SERVER, SRVX];

const CLIENT = "192.0.2.7";
const ENDS = {
  source: { transport: "udp", hostname: CLIENT, port: 51234 },
  destination: { transport: "udp", hostname: "198.51.100.9", port: 53 },
} as const;
const HEADER = encode({
  source: { transport: "tcp", hostname: CLIENT, port: 51234 },
  destination: { transport: "tcp", hostname: "198.51.100.9", port: 443 },
  tlvs: { AUTHORITY: "example.com" },
}, { checksum: true });
const REQUEST =
  "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

type Talk = (port: number, program: Program) => Promise<void>;

/** Reads until all texts have come: servers on Node end TLS without saying so. */
async function receive(conn: Deno.Conn, ...texts: string[]): Promise<void> {
  const buffer = new Uint8Array(4096);
  let received = "";
  // They may come at once, so that each cannot be waited for by itself.
  for (;;) {
    const next = texts.find((text) => !received.includes(text));
    if (next === undefined) return;
    const count = await within(conn.read(buffer), `"${next}"`);
    if (count === null) throw new Error(`Received instead: ${received}`);
    received += new TextDecoder().decode(buffer.subarray(0, count));
  }
}

/** Asks by HTTP/1 for the client's address. */
const overHttp: Talk = async (port, program) => {
  using conn = await program.dial(port);
  await conn.write(HEADER);
  await conn.write(utf8(REQUEST));
  await receive(conn, CLIENT);
};

/** Of a program that prints the client's address. */
const overHttpPrinting: Talk = async (port, program) => {
  using conn = await program.dial(port);
  await conn.write(HEADER);
  await conn.write(utf8(REQUEST));
  await receive(conn, "HTTP/1.1 200 OK");
  await program.printed(CLIENT);
};

function overTls(text: string): Talk {
  return async (port, program) => {
    const tcp = await program.dial(port);
    await tcp.write(HEADER);
    using conn = await Deno.startTls(tcp, {
      hostname: "localhost",
      caCerts: [CERT],
    });
    await conn.write(utf8(text));
    await receive(conn, CLIENT);
  };
}

const echo: Talk = async (port, program) => {
  using conn = await program.dial(port);
  await conn.write(concat([HEADER, utf8("hello")]));
  await receive(conn, "hello");
  await program.printed("example.com");
};

const overUdp: Talk = async (port, program) => {
  const payload = utf8("hello");
  const answer = await exchange(port, encodeDatagram(ENDS, payload), program);
  assertEquals(answer, payload);
  await program.printed(CLIENT);
};

const overSimpleUdp: Talk = async (port, program) => {
  const datagram = encodeSimpleDatagram(ENDS, utf8("hello"));
  const answer = await exchange(port, datagram, program);
  assertEquals(answer, datagram);
  assertEquals(decodeSimpleDatagram(answer).payload, utf8("hello"));
  await program.printed(CLIENT);
};

/** Sends its header only once it has been greeted. */
const afterGreeting: Talk = async (port, program) => {
  using conn = await program.dial(port);
  await receive(conn, "220 mail.example ESMTP\r\n");
  await conn.write(HEADER);
  await program.printed(CLIENT);
};

const EVERYWHERE = ["Node", "Deno", "Bun"];

const RECIPES: { heading: string; runtimes: string[]; talk: Talk }[] = [
  { heading: "Receive", runtimes: ["Deno"], talk: echo },
  { heading: "Bun", runtimes: ["Bun"], talk: echo },
  { heading: "Node", runtimes: EVERYWHERE, talk: overHttpPrinting },
  { heading: "Express", runtimes: EVERYWHERE, talk: overHttp },
  { heading: "Fastify", runtimes: EVERYWHERE, talk: overHttp },
  { heading: "Hono", runtimes: EVERYWHERE, talk: overHttp },
  { heading: "srvx", runtimes: EVERYWHERE, talk: overHttp },
  { heading: "HTTPS", runtimes: EVERYWHERE, talk: overTls(REQUEST) },
  { heading: "TLS", runtimes: EVERYWHERE, talk: overTls("") },
  { heading: "UDP", runtimes: EVERYWHERE, talk: overUdp },
  { heading: "Cloudflare", runtimes: EVERYWHERE, talk: overSimpleUdp },
  { heading: "Servers that", runtimes: ["Deno"], talk: afterGreeting },
];

Deno.test("the programs of the README do what they say", async (t) => {
  const folder = await Deno.makeTempDir({ prefix: "recipes-" });
  const write = async (
    heading: string,
    ports: { listen: number; dial?: number },
  ): Promise<void> =>
    await Deno.writeTextFile(
      `${folder}/main.ts`,
      onLoopback(programUnder(heading), ports),
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
    await install(folder, "./package.tgz", ...PACKAGES);

    for (const { heading, runtimes, talk } of RECIPES) {
      for (const runtime of runtimes) {
        await t.step(
          `${heading} on ${runtime}`,
          () =>
            onFreePort(async (port) => {
              await write(heading, { listen: port });
              await using program = start(
                [...RUNTIMES[runtime] ?? [""], "main.ts"],
                folder,
              );
              await talk(port, program);
            }),
        );
      }
    }

    await t.step("Pass on, on Deno", () =>
      onFreePort(async (listen) => {
        using backend = Deno.listen({ hostname: "127.0.0.1", port: 0 });
        await write("Pass on", { listen, dial: backend.addr.port });
        await using program = start(
          [...RUNTIMES.Deno ?? [""], "main.ts"],
          folder,
        );
        using client = await program.dial(listen);
        await client.write(HEADER);
        const { info, conn } = await accept(
          await within(backend.accept(), "the relay"),
          { trust: ["127.0.0.1"] },
        );
        conn.close();
        assertEquals(info?.tlvs.AUTHORITY, "example.com");
        assertEquals(info?.tlvs.NETNS, "blue");
      }));

    await t.step("Workers on workerd", () =>
      onFreePort(async (port) => {
        await write("Workers", { listen: port });
        await Deno.writeTextFile(
          `${folder}/config.capnp`,
          programUnder("Workers", "capnp").replace(
            "*:8080",
            `127.0.0.1:${port}`,
          ),
        );
        const bundling = ["--bundle", "--format=esm", "--outfile=worker.js"];
        await mustRun(folder, esbuildProgram(), "main.ts", ...bundling);
        await using program = start(
          [workerdProgram(), "serve", "--experimental", "config.capnp"],
          folder,
        );
        using client = await program.dial(port);
        await client.write(concat([HEADER, utf8("hello")]));
        await receive(client, CLIENT, "hello");
      }));

    await t.step("Send, on Deno", async () => {
      using backend = Deno.listen({ hostname: "127.0.0.1", port: 0 });
      await write("Send", { listen: backend.addr.port, dial: 443 });
      await using _ = start([...RUNTIMES.Deno ?? [""], "main.ts"], folder);
      const { info, conn } = await accept(
        await within(backend.accept(), "the sender"),
        { trust: ["127.0.0.1"] },
      );
      conn.close();
      assertEquals(info?.source?.transport, "tcp");
      assertEquals(info?.tlvs.ALPN, "h2");
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
