/** Programs that tests start. */

import { within } from "../../../_within.ts";

const MAP = new URL("../../../std/map.json", import.meta.url).pathname;

/** A program that runs until its input ends. */
export interface Program {
  readonly pid: number;
  /** The first that it printed. */
  readonly first: string;
  /** Ends its input, and returns what else it printed. */
  finish(): Promise<string>;
}

/** Starts a program of this folder, which prints something at once. */
export async function start(
  name: string,
  args: string[] = [],
  env: Record<string, string> = {},
): Promise<Program> {
  const path = new URL(name, import.meta.url).pathname;
  const { pid, stdin, stdout, status } = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", `--import-map=${MAP}`, path, ...args],
    env,
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const lines = stdout.pipeThrough(new TextDecoderStream()).getReader();
  const { value: first = "" } = await within(lines.read(), `a word of ${name}`);
  return {
    pid,
    first,
    async finish() {
      await stdin.close().catch(() => {}); // it may have ended by itself
      let text = "";
      for (;;) {
        const { value, done } = await within(
          lines.read(),
          `the end of ${name}`,
        );
        if (done) break;
        text += value;
      }
      await status;
      return text;
    },
  };
}

/** What came of a program. */
export interface Outcome {
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs code to its end; `KIT` in it stands for the kit of these tests. */
export async function run(
  code: string,
  options: readonly string[] = ["-A"],
  env: Record<string, string> = {},
): Promise<Outcome> {
  const kit = new URL("_kit.ts", import.meta.url).href;
  const path = await Deno.makeTempFile({ suffix: ".ts" });
  try {
    await Deno.writeTextFile(path, code.replaceAll("KIT", kit));
    const { code: status, stdout, stderr } = await within(
      new Deno.Command(Deno.execPath(), {
        args: [
          ...["run", ...options, "--no-prompt", "--no-check"],
          ...[`--import-map=${MAP}`, path],
        ],
        env: { NO_COLOR: "1", ...env },
      }).output(),
      "the end of a program",
    );
    const decoder = new TextDecoder();
    return {
      code: status,
      stdout: decoder.decode(stdout),
      stderr: decoder.decode(stderr),
    };
  } finally {
    await Deno.remove(path);
  }
}
