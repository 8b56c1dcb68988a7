/**
 * The command line: shows, makes, receives and forwards headers. It runs on Deno, Bun
 * and Node, and Deno compiles it into one file.
 *
 * ```sh
 * npx @edgewire/proxy-protocol --help
 * bunx @edgewire/proxy-protocol --help
 * deno run jsr:@edgewire/proxy-protocol/cli --help
 * deno compile --allow-net --allow-read -o proxy-protocol jsr:@edgewire/proxy-protocol/cli
 * ```
 *
 * As a module it exports a function, for tools that run it as a subcommand:
 *
 * ```ts
 * import { runCli } from "@edgewire/proxy-protocol/cli";
 *
 * let output = "";
 * const code = await runCli(["encode", "--v1", "--unknown"], {
 *   input: new ReadableStream(),
 *   isInputTerminal: false,
 *   write: async (bytes) => void (output += new TextDecoder().decode(bytes)),
 *   warn: async (line) => console.warn(line),
 *   stop: () => AbortSignal.timeout(1000),
 * });
 * console.log(code, output); // 0 50524f585920554e4b4e4f574e0d0a
 * ```
 *
 * @module
 */

import process from "node:process";
import { quote } from "../codec/internal.ts";
import { UsageError } from "./cli/usage_error.ts";
import {
  columns,
  type Command,
  helpOf,
  PACKAGE,
  PROGRAM,
} from "./cli/command.ts";
import { DECODE } from "./cli/decode.ts";
import { ENCODE } from "./cli/encode.ts";
import {
  type CliIo,
  OutputClosedError,
  print,
  reasonOf,
  warn,
} from "./cli/io.ts";
import { LISTEN } from "./cli/listen.ts";
import { processIo } from "./cli/process_io.ts";
import { RELAY } from "./cli/relay.ts";

export type { CliIo };

/** Version in deno.json, which packages for npm leave out. */
const VERSION = "0.1.0";

const COMMANDS: ReadonlyMap<string, Command> = new Map([
  ["decode", DECODE],
  ["encode", ENCODE],
  ["listen", LISTEN],
  ["relay", RELAY],
]);

const HELP = `${PROGRAM} COMMAND [ARGUMENT...]

Shows, makes, receives and passes on headers of the PROXY protocol.

Commands:
${columns([...COMMANDS].map(([name, { summary }]) => [name, summary]))}

${PROGRAM} COMMAND --help explains a command. --version prints the version.
Run one of:

  npx ${PACKAGE} COMMAND
  bunx ${PACKAGE} COMMAND
  deno run jsr:${PACKAGE}/cli COMMAND

On Deno it needs the permissions that the command's help names.

Exit codes: 0 fine, 1 a bad header or a failure, 2 wrong arguments.`;

/** Exit code for success. */
const OK = 0;

/** Exit code for a bad header or a failed connection. */
const FAILED = 1;

/** Exit code for wrong arguments. */
const WRONG_USAGE = 2;

/**
 * Runs the command line. Resolves to its exit code. It reports failures with
 * `io.warn` and never throws. Control characters in text from peers and in
 * arguments are escaped.
 *
 * @example
 * ```ts
 * import { runCli } from "@edgewire/proxy-protocol/cli";
 *
 * const code = await runCli(["decode", "50524f5859"], {
 *   input: new ReadableStream(),
 *   isInputTerminal: false,
 *   write: async () => {},
 *   warn: async (line) => console.error(line),
 *   stop: () => AbortSignal.timeout(1000),
 * });
 * console.log(code); // 1
 * ```
 */
export async function runCli(
  args: readonly string[],
  io: CliIo,
): Promise<number> {
  const [name = "", ...rest] = args;
  const command = COMMANDS.get(name);
  try {
    if (name === "--version" || name === "-V") {
      await print(io, VERSION);
      return OK;
    }
    if (name === "--help" || name === "-h") {
      await print(io, HELP);
      return OK;
    }
    if (command === undefined) {
      throw new UsageError(
        `Cannot run${name && ` ${quote(name)}`}: expected one of ${
          [...COMMANDS.keys()].join(", ")
        }`,
      );
    }
    if (rest.includes("--help") || rest.includes("-h")) {
      await print(io, helpOf(name, command));
      return OK;
    }
    return await command.run(rest, io);
  } catch (error) {
    if (error instanceof OutputClosedError) return OK;
    if (error instanceof UsageError) {
      const about = command === undefined ? PROGRAM : `${PROGRAM} ${name}`;
      await warn(io, `${error.message}\nSee ${about} --help`);
      return WRONG_USAGE;
    }
    await warn(io, reasonOf(error));
    return FAILED;
  }
}

if (import.meta.main) {
  process.exit(await runCli(process.argv.slice(2), processIo()));
}
