/** Arguments of a command. Wrong arguments throw a {@link UsageError}. */

import { parseArgs } from "node:util";
import type { DecodeOptions } from "../../codec/mod.ts";
import type { Trust } from "../types.ts";
import { LONGEST_HEADER, quote } from "../../codec/internal.ts";
import { readNumber, readWord } from "./read_text.ts";
import { UsageError } from "./usage_error.ts";

/** An option, as `parseArgs` accepts it and as the help shows it. */
export interface Option {
  type: "string" | "boolean";
  multiple?: boolean;
  /** What stands for its value in the help. */
  value?: string;
  /** What it does, for the help; absent for one that the program alone passes. */
  help?: string;
}

/** Options of a command, by name. */
export type Options = Readonly<Record<string, Option>>;

/** What `parseArgs` makes of options. */
type Parsed<T extends Options> = ReturnType<
  typeof parseArgs<{ options: T; allowPositionals: true; tokens: true }>
>;

/** Reads arguments by the options of a command. */
export function readArgs<const T extends Options>(
  args: readonly string[],
  options: T,
): Parsed<T> {
  try {
    return parseArgs({
      args: [...args],
      options,
      allowPositionals: true,
      tokens: true,
    });
  } catch (cause) {
    if (!(cause instanceof TypeError)) throw cause;
    const [first = ""] = cause.message.split(". ");
    throw new UsageError(
      `Cannot read arguments: ${first.charAt(0).toLowerCase()}${
        first.slice(1).replace(/\n.*/s, "")
      }`,
      { cause },
    );
  }
}

/** Rejects arguments that are not options. */
export function expectNoPositionals(positionals: readonly string[]): void {
  if (positionals.length === 0) return;
  throw new UsageError(
    `Cannot read arguments: unexpected ${quote(positionals[0])}`,
  );
}

/** Values of `--trust`, of which `any` is for everybody. */
export function trustOf(ranges: readonly string[]): Trust {
  return ranges.includes("any") ? "any" : ranges;
}

/** Runs what checks options; its objections are about the arguments. */
export function asUsage<T>(read: () => T): T {
  try {
    return read();
  } catch (cause) {
    if (cause instanceof TypeError || cause instanceof RangeError) {
      throw new UsageError(cause.message, { cause });
    }
    throw cause;
  }
}

/** Leniencies of the codec by name; everything is strict without them. */
export const LENIENCIES = {
  checksum: {
    type: "string",
    value: "ignore",
    help: "accept a CRC32C that does not match",
  },
  tlvs: {
    type: "string",
    value: "lenient",
    help: "accept stray bytes and TLVs that do not fit",
  },
  "mixed-tcp6": {
    type: "boolean",
    help: "accept an IPv4 address in a v1 TCP6 line",
  },
  unmap: {
    type: "boolean",
    help: "show ::ffff:192.0.2.1 as 192.0.2.1",
  },
  "max-length": {
    type: "string",
    value: "BYTES",
    help: "longest header to accept (4096)",
  },
  versions: {
    type: "string",
    value: "1|2|1,2",
    help: "versions to accept (1,2)",
  },
} as const satisfies Options;

/** Values of {@link LENIENCIES}. */
type Leniencies = {
  [K in keyof typeof LENIENCIES]?:
    | ((typeof LENIENCIES)[K]["type"] extends "boolean" ? boolean : string)
    | undefined;
};

/** Returns the options of the codec. */
export function decodeOptions(values: Leniencies): DecodeOptions {
  const { checksum, tlvs, unmap, versions } = values;
  const maxLength = values["max-length"];
  return {
    ...(checksum !== undefined && {
      checksum: readWord("--checksum", checksum, ["verify", "ignore"]),
    }),
    ...(tlvs !== undefined && {
      tlvs: readWord("--tlvs", tlvs, ["strict", "lenient"]),
    }),
    ...(values["mixed-tcp6"] && { mixedTcp6: true }),
    ...(unmap && { unmap: true }),
    ...(maxLength !== undefined && {
      maxLength: readNumber("--max-length", maxLength, 1, LONGEST_HEADER),
    }),
    ...(versions !== undefined && {
      versions: versions.split(",").map((version) =>
        readWord("--versions", version, ["1", "2"]) === "1" ? 1 : 2
      ),
    }),
  };
}
