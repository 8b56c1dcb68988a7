/** Runs a program on a runtime, from where the package is installed. */

import { mustRun } from "../npm_consumer/_package.ts";
import { within } from "../_within.ts";
import { BUN_PACKAGE, NODE_PACKAGE } from "../_versions.ts";

/** How to start a file, by runtime; the programs themselves, not npx. */
export async function findRuntimes(
  folder: string,
): Promise<Record<string, [string, ...string[]]>> {
  const [node, bun] = await Promise.all([NODE_PACKAGE, BUN_PACKAGE].map(
    async (name) =>
      (await mustRun(folder, "npx", "-y", name, "-p", "process.execPath"))
        .trim(),
  ));
  return {
    Node: [node ?? ""],
    Deno: [Deno.execPath(), "run", "-A", "--quiet", "--no-lock"],
    Bun: [bun ?? ""],
  };
}

/** A program that runs. */
export interface Program extends AsyncDisposable {
  /** Waits until it has printed a text. */
  printed(text: string): Promise<void>;
}

/** Starts a program. */
export function start(
  [command, ...args]: readonly [string, ...string[]],
  folder: string,
): Program {
  const child = new Deno.Command(command, {
    args,
    cwd: folder,
    env: { NO_COLOR: "1" },
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  let output = "";
  let notify = Promise.withResolvers<void>();
  const readings = [child.stdout, child.stderr].map(async (stream) => {
    for await (const text of stream.pipeThrough(new TextDecoderStream())) {
      output += text;
      notify.resolve();
    }
  });
  const ended = Promise.all(readings).then(() => {
    throw new Error("the program has ended");
  });
  ended.catch(() => {});
  const wait = async (text: string): Promise<void> => {
    while (!output.includes(text)) {
      await Promise.race([notify.promise, ended]);
      notify = Promise.withResolvers();
    }
  };
  return {
    async printed(text) {
      try {
        await within(wait(text), `"${text}"`);
      } catch (cause) {
        throw new Error(`Printed instead of "${text}":\n${output}`, { cause });
      }
    },
    async [Symbol.asyncDispose]() {
      child.kill();
      await within(child.status, "the program to end");
      await Promise.all(readings);
    },
  };
}

/** A port that is free. */
export function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

/** Connects, as soon as somebody listens. */
export async function dial(port: number): Promise<Deno.TcpConn> {
  for (let attempt = 0;; attempt++) {
    try {
      return await Deno.connect({ hostname: "127.0.0.1", port });
    } catch (error) {
      if (attempt === 400) throw error;
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  }
}
