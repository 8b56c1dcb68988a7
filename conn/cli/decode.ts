import { decodeOptions, LENIENCIES, type Options, readArgs } from "./args.ts";
import { readNumber } from "./read_text.ts";
import { UsageError } from "./usage_error.ts";
import type { Command } from "./command.ts";
import { readFileChunks } from "./files.ts";
import { type Form, readBytes, readTyped } from "./input_bytes.ts";
import { attempt, type CliIo, print } from "./io.ts";
import { describe, examine, outcomeJson } from "./report.ts";
import { count } from "./show.ts";

/** Most bytes to read. */
const LONGEST_INPUT = 64 * 1024 * 1024;

const OPTIONS = {
  file: { type: "string", value: "FILE", help: "read from a file" },
  hex: { type: "boolean", help: "read the input as hex" },
  raw: { type: "boolean", help: "read the input as raw bytes" },
  skip: {
    type: "string",
    value: "BYTES",
    help: "skip this many bytes before the header",
  },
  json: { type: "boolean", help: "print JSON, bytes as hex" },
  ...LENIENCIES,
} as const satisfies Options;

/** Shows a header. */
export const DECODE: Command = {
  usage: "[HEX...] [OPTION...]",
  summary:
    "Shows every byte of the header at the start of HEX, a file or standard input.",
  notes:
    `HEX may have spaces, colons, commas, 0x, \\x and line ends. It may also be the
output of xxd, hexdump -C, od -t x1 or tcpdump -x, or text with escapes, such as
'PROXY UNKNOWN\\r\\n'. A file and standard input are the bytes themselves or hex.
Bytes after the header are counted.

Exit code 0: a header.
Exit code 1: a rejected or incomplete header. A rejected header is shown with the
byte of the error and the option, if any, that would accept it.
Exit code 2: wrong arguments.`,
  options: OPTIONS,
  permissions: "none; --allow-read for --file",
  examples: [
    "0d0a0d0a000d0a515549540a2111000cc0000201c6336401dc0401bb",
    "'PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\\r\\n'",
    "--file capture.bin --json",
  ],
  async run(args, io) {
    const { values, positionals } = readArgs(args, OPTIONS);
    if (values.hex && values.raw) {
      throw new UsageError("Cannot read input: --hex and --raw contradict");
    }
    const form = values.hex ? "hex" : values.raw ? "raw" : "either";
    const options = decodeOptions(values);
    const skip = readNumber("--skip", values.skip ?? "0", 0, 2 ** 32);
    const input = await readInput(io, form, values.file, positionals);
    if (skip > input.length) {
      throw new UsageError(
        `Cannot skip ${count(skip, "byte")}: received ${input.length}`,
      );
    }
    const bytes = input.subarray(skip);
    const outcome = examine(bytes, options);
    await print(
      io,
      values.json
        ? outcomeJson(bytes, outcome)
        : describe(bytes, outcome, options),
    );
    return outcome.kind === "header" ? 0 : 1;
  },
};

async function readInput(
  io: CliIo,
  form: Form,
  file: string | undefined,
  positionals: readonly string[],
): Promise<Uint8Array> {
  if (positionals.length > 0) {
    if (file === undefined) return readTyped(positionals.join(" "), form);
    throw new UsageError("Cannot read input: both HEX and --file are given");
  }
  if (file !== undefined) {
    const read = await attempt(
      `read ${file}`,
      () => readAll(readFileChunks(file)),
    );
    return readBytes(read, form);
  }
  if (io.isInputTerminal) {
    throw new UsageError(
      "Cannot read input: expected HEX, --file or bytes on standard input",
    );
  }
  const read = await attempt("read standard input", () => readAll(io.input));
  return readBytes(read, form);
}

/** Reads all bytes. The header is at the start, and later bytes are only counted. */
async function readAll(
  stream: AsyncIterable<Uint8Array>,
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of stream) {
    length += chunk.length;
    if (length > LONGEST_INPUT) {
      throw new Error(`more than ${LONGEST_INPUT} bytes`);
    }
    chunks.push(chunk);
  }
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}
