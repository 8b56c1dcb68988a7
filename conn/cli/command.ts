import type { Options } from "./args.ts";
import type { CliIo } from "./io.ts";

/** Name of the command line in the help. A compiled program may have this name. */
export const PROGRAM = "proxy-protocol";

/** Its package, of JSR and npm. */
export const PACKAGE = "@edgewire/proxy-protocol";

/** One command. */
export interface Command {
  /** What follows its name. */
  usage: string;
  /** What it does, in half a line. */
  summary: string;
  /** Notes besides its options. */
  notes: string;
  options: Options;
  /** Permissions of Deno that it needs. */
  permissions: string;
  /** Arguments that work. */
  examples: readonly string[];
  /** Runs it; the exit code. */
  run(args: readonly string[], io: CliIo): Promise<number>;
}

/** Lines of two columns. */
export function columns(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`)
    .join("\n");
}

/** The help of one command. */
export function helpOf(name: string, command: Command): string {
  const { usage, summary, notes, options, permissions, examples } = command;
  const rows = Object.entries(options).flatMap(([option, { value, help }]) =>
    help === undefined ? [] : [
      [`--${option}${value === undefined ? "" : ` ${value}`}`, help] as const,
    ]
  );
  return `${PROGRAM} ${name} ${usage}

${summary}

${notes}

Options:
${columns(rows)}

Permissions: ${permissions} (on Deno)

Examples:
${examples.map((example) => `  ${PROGRAM} ${name} ${example}`).join("\n")}`;
}
