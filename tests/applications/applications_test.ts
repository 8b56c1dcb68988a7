/**
 * Applications of others behind `proxied()`, on every runtime: real clients and a
 * balancer that sends headers. The package is that of npm. Each application is
 * used without the library as well, so that a fault of it, or of a runtime, is
 * not taken for one of ours; `apps/faults.js` shows those of the runtimes.
 */

import { assert, assertEquals } from "@std/assert";
import { bunProgram, folderWith, nodeProgram } from "../_npm.ts";
import { APPLICATIONS } from "../_versions.ts";
import { LONGEST_RUN } from "../_within.ts";
import { mustRun, pack } from "../npm_consumer/_package.ts";

const RUNTIMES: Record<string, [command: string, ...args: string[]]> = {
  Node: [nodeProgram()],
  Deno: [
    Deno.execPath(),
    "run",
    "-A",
    "--no-config",
    "--node-modules-dir=manual",
  ],
  Bun: [bunProgram()],
};

/** With the library, or without it. */
type Mode = "plain" | "proxied";

/** What the process of the servers tells. */
interface Told {
  served: Record<string, Record<Mode, { port: number; seen: string[] }>>;
  /** Errors that nobody has caught. */
  uncaught: string[];
  faults: Record<string, { isExpected: boolean; isThere: boolean }>;
}

/** What has become of each case: nothing, or an error. */
type Outcomes = Record<string, Record<Mode, string | null>>;

/** Makes a folder in which the applications find each other, their packages and the library. */
async function makeProject(): Promise<string> {
  const folder = await Deno.makeTempDir({
    dir: folderWith(...APPLICATIONS),
    prefix: "run-",
  });
  const library = `${folder}/node_modules/@edgewire/proxy-protocol`;
  await Deno.mkdir(library, { recursive: true });
  await pack(`${folder}/package.tgz`);
  await mustRun(
    folder,
    ...["tar", "xzf", "package.tgz", "--strip-components=1", "-C"] as const,
    library,
  );
  await Deno.writeTextFile(`${folder}/package.json`, '{"type":"module"}');
  for (const from of ["./apps/", "../data/"]) {
    const url = new URL(from, import.meta.url);
    for (const { name } of Deno.readDirSync(url)) {
      if (!/\.(js|pem)$/.test(name)) continue;
      await Deno.copyFile(new URL(name, url), `${folder}/${name}`);
    }
  }
  return folder;
}

/** Serves and asks all applications on a runtime. */
async function play(
  runtime: string,
  [command, ...args]: [string, ...string[]],
  cwd: string,
): Promise<{ told: Told; outcomes: Outcomes }> {
  const server = new Deno.Command(command, {
    args: [...args, "_serve.js", runtime],
    cwd,
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
    signal: AbortSignal.timeout(LONGEST_RUN),
  }).spawn();
  const input = server.stdin.getWriter();
  const lines = linesOf(server.stdout);
  try {
    const outcomes = await ask(await nextOf(lines), cwd);
    await input.write(new TextEncoder().encode("tell\n"));
    const told: Told = JSON.parse(await nextOf(lines));
    return { told, outcomes: JSON.parse(outcomes) };
  } finally {
    await input.close().catch(() => {}); // it has ended already
    await lines.return(undefined);
    await server.status;
  }
}

/** Asks what is served; what the clients tell. */
async function ask(served: string, cwd: string): Promise<string> {
  const client = new Deno.Command(nodeProgram(), {
    args: ["_ask.js"],
    cwd,
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
    signal: AbortSignal.timeout(LONGEST_RUN),
  }).spawn();
  const input = client.stdin.getWriter();
  await input.write(new TextEncoder().encode(served));
  await input.close();
  const { stdout, stderr } = await client.output();
  const [told, errors] = [stdout, stderr].map((bytes) =>
    new TextDecoder().decode(bytes)
  );
  if (!told) throw new Error(`The clients have told nothing:\n${errors}`);
  return told;
}

async function* linesOf(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
): AsyncGenerator<string, undefined> {
  let text = "";
  for await (const chunk of stream.pipeThrough(new TextDecoderStream())) {
    const lines = (text + chunk).split("\n");
    text = lines.pop() ?? "";
    yield* lines;
  }
  return undefined;
}

async function nextOf(
  lines: AsyncGenerator<string, undefined>,
): Promise<string> {
  const { value } = await lines.next();
  if (value === undefined) throw new Error("The servers have ended");
  return value;
}

Deno.test("applications show the client behind proxied()", async (t) => {
  const folder = await makeProject();
  try {
    for (const [runtime, command] of Object.entries(RUNTIMES)) {
      const { told, outcomes } = await play(runtime, command, folder);
      for (const [name, { plain, proxied }] of Object.entries(outcomes)) {
        await t.step(`${runtime}: ${name}`, () => {
          assertEquals(plain, null, `without the library: ${plain}`);
          assertEquals(proxied, null, `${proxied}`);
          const seen = new Set(told.served[name]?.proxied.seen);
          assertEquals([...seen], ["192.0.2.7"]);
        });
      }
      for (const [name, fault] of Object.entries(told.faults)) {
        await t.step(`${runtime}, without the library: ${name}`, () => {
          assertEquals(fault.isThere, fault.isExpected);
        });
      }
      await t.step(`${runtime}: nothing surfaces`, () => {
        assertEquals(told.uncaught, []);
        assert(Object.keys(outcomes).length > 0);
      });
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
