/**
 * Runs the examples of documentation comments from the npm package, as somebody
 * who pastes them would: each prints what its comments say.
 */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { decode, encode, encodeDatagram } from "../../mod.ts";
import { concat, utf8 } from "../_bytes.ts";
import { within } from "../_within.ts";
import { CERT } from "../conn/_loopback.ts";
import { bunProgram, nodeProgram } from "../_npm.ts";
import { installPacked, mustRun } from "../npm_consumer/_package.ts";
import {
  alike,
  exchange,
  onFreePort,
  type Program,
  RUNTIMES,
  start,
} from "../recipes/_programs.ts";
import { allFences, type Fence } from "./_fences.ts";
import { onLoopback, type Plan, planOf } from "./_plan.ts";

/** Who is on the other side of the proxy, in every example. */
const CLIENT = {
  source: { transport: "tcp", hostname: "192.0.2.7", port: 51234 },
  destination: { transport: "tcp", hostname: "198.51.100.9", port: 443 },
  tlvs: { ALPN: "h2", AUTHORITY: "example.com" },
} as const;

const HEADER = encode(CLIENT, { checksum: true });

const REQUEST =
  "GET / HTTP/1.1\r\nHost: example.com\r\nConnection: close\r\n\r\n";

/** Says the header, then what the protocol begins with. */
async function speak(
  port: number,
  { protocol }: Plan,
  program: Program,
): Promise<Disposable> {
  if (protocol === "udp") {
    const ends = {
      source: { ...CLIENT.source, transport: "udp" },
      destination: { ...CLIENT.destination, transport: "udp" },
    } as const;
    const datagram = encodeDatagram(ends, utf8("hello"));
    await exchange(port, datagram, program);
    return { [Symbol.dispose]() {} };
  }
  const text = utf8(protocol.startsWith("http") ? REQUEST : "hello");
  const conn = await program.dial(port);
  if (protocol === "tls" || protocol === "https") {
    await conn.write(HEADER);
    const tls = await Deno.startTls(conn, {
      hostname: "localhost",
      caCerts: [CERT],
    });
    await tls.write(text);
    return tls;
  }
  await conn.write(concat([HEADER, text]));
  if (protocol === "tcp") await conn.closeWrite(); // so that a relay ends
  return conn;
}

/** Listens where an example dials; whoever dials has to begin with a header. */
class Backend implements AsyncDisposable {
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #dialled = Promise.withResolvers<void>();
  readonly #served = this.#serve();

  get port(): number {
    return this.#listener.addr.port;
  }

  /** Waits until a header has come. */
  async dialled(): Promise<void> {
    await within(this.#dialled.promise, "the example to dial");
  }

  async #serve(): Promise<void> {
    for await (const conn of this.#listener) {
      this.#read(conn).then(this.#dialled.resolve, this.#dialled.reject);
    }
  }

  async #read(conn: Deno.Conn): Promise<void> {
    using _ = conn;
    const buffer = new Uint8Array(4096);
    const count = await conn.read(buffer) ?? 0;
    assert(decode(buffer.subarray(0, count)), "no header was sent");
    this.#dialled.resolve();
    // Until the end: a relay is to end in order.
    while (await conn.read(buffer).catch(() => null) !== null);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#dialled.promise.catch(() => {}); // of an example that fails before
    this.#listener.close();
    await this.#served;
  }
}

/** How to start a test. */
const TEST_RUNNERS: Readonly<Record<string, [string, ...string[]]>> = {
  Node: [nodeProgram(), "--test"],
  Deno: [Deno.execPath(), "test", "-A", "--no-lock", "--no-check"],
  Bun: [bunProgram(), "test"],
};

async function runExample(
  folder: string,
  { code }: Fence,
  plan: Plan,
  runtime: string,
): Promise<void> {
  const runners = plan.isTest ? TEST_RUNNERS : RUNTIMES;
  const command = [...runners[runtime] ?? [""], "./main_test.ts"] as const;
  const write = (ports: Record<number, number>) =>
    Deno.writeTextFile(`${folder}/main_test.ts`, onLoopback(code, ports));
  const { listens, dials, prints } = plan;
  await using backend = new Backend();
  const targets = dials === undefined ? {} : { [dials]: backend.port };
  if (listens === undefined) {
    await write(targets);
    const output = alike(await mustRun(folder, ...command));
    let at = 0;
    for (const text of prints) {
      const found = output.indexOf(alike(text), at);
      assert(found >= 0, `Printed instead of "${text}": ${output}`);
      at = found + alike(text).length;
    }
    return;
  }
  await onFreePort(async (port) => {
    await write({ ...targets, [listens]: port });
    await using program = start(command, folder);
    using _ = await speak(port, plan, program);
    for (const text of prints) await program.printed(text);
    if (dials !== undefined) await backend.dialled();
  });
}

/** Tests of Deno may be written with its library. */
const DENO_CONFIG = JSON.stringify({
  imports: { "@std/assert": import.meta.resolve("../std/assert.ts") },
});

Deno.test("the examples of documentation comments print what they say", async (t) => {
  const folder = await Deno.makeTempDir({ prefix: "examples-" });
  try {
    await Deno.writeTextFile(`${folder}/package.json`, '{"type":"module"}');
    for (const name of ["cert.pem", "key.pem"]) {
      const file = new URL(`../data/${name}`, import.meta.url);
      await Deno.copyFile(file, `${folder}/${name}`);
    }
    await Deno.writeTextFile(`${folder}/deno.json`, DENO_CONFIG);
    await installPacked(folder);
    const fences = (await allFences()).filter(({ path }) =>
      path.endsWith(".ts")
    );
    assert(fences.length > 0);
    await t.step("a comment that is wrong is found", async () => {
      const code = "console.log(1); // 1\nconsole.log({ a: 2 }); // { a: 3 }\n";
      const wrong = { path: "", line: 1, attributes: [], code };
      await assertRejects(
        () => runExample(folder, wrong, planOf(code), "Deno"),
        Error,
        'Printed instead of "{ a: 3 }"',
      );
    });
    for (const fence of fences) {
      const plan = planOf(fence.code);
      const place = `${fence.path}:${fence.line}`;
      await t.step(
        `${place} says what it prints, or dials`,
        () =>
          assert(
            plan.prints.length > 0 || plan.dials !== undefined ||
              plan.isTest || plan.isOfSeveral,
          ),
      );
      for (const runtime of plan.runtimes) {
        await t.step(
          `${place} on ${runtime}`,
          () => within(runExample(folder, fence, plan, runtime), place, 20_000),
        );
      }
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("planOf() reads ports, protocols and what is printed", () => {
  const https = `import { createServer } from "node:https";
console.log("before"); // before
createServer({ key: readFileSync("key.pem") }, (request) => {
  console.log(
    request.url,
  ); // /
}).listen(8443, () => {}); // no output
`;
  assertEquals(planOf(https), {
    isTest: false,
    isOfSeveral: false,
    runtimes: ["Node", "Deno", "Bun"],
    listens: 8443,
    protocol: "https",
    prints: ["before", "/"],
  });
  const relay = `const target = { hostname: "10.0.0.9", port: 443 };
Bun.listen({ hostname: "0.0.0.0", port: 8080, socket });
`;
  const { listens, dials, runtimes } = planOf(relay);
  assertEquals([listens, dials, runtimes], [8080, 443, ["Bun"]]);
  assertEquals(
    onLoopback(`${relay}({ trust: ["10.0.0.0/8"] })`, { 443: 1, 8080: 2 }),
    `const target = { hostname: "127.0.0.1", port: 1 };
Bun.listen({ hostname: "127.0.0.1", port: 2, socket });
({ trust: ["127.0.0.0/8"] })`,
  );
});
