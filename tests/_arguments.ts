/** Arguments of the runners. */

import {
  expectNoPositionals,
  type Options,
  readArgs,
} from "../conn/cli/args.ts";
import { UsageError } from "../conn/cli/usage_error.ts";

/**
 * Reads the arguments of this process by the options of a runner, and makes
 * of them what it needs. What is wrong with them is said in a line, and ends it.
 */
export function readArguments<const T extends Options, V>(
  options: T,
  read: (values: ReturnType<typeof readArgs<T>>["values"]) => V,
): V {
  try {
    const { values, positionals } = readArgs(Deno.args, options);
    expectNoPositionals(positionals);
    return read(values);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    console.error(error.message);
    Deno.exit(2);
  }
}
