import { within } from "../../_within.ts";

/** How long it may take over all inputs, in ms. */
const TIMEOUT = 300_000;

/** How many bytes to write at a time. */
const CHUNK_LENGTH = 1 << 16;

/** What another implementation made of a header. */
export interface Answer {
  /** Why it was refused. */
  refused?: string;
  /** What it says, by name. */
  facts?: Record<string, string>;
}

/**
 * Hands inputs to a program that answers each with a line of JSON: what it
 * answered, in their order, some at a time.
 */
export async function* answersOf(
  program: string,
  args: readonly string[],
  inputs: Iterable<Uint8Array>,
): AsyncGenerator<Answer[]> {
  const child = new Deno.Command(program, {
    args: [...args],
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  let hasEnded = false;
  const ended = child.status.then(() => {
    hasEnded = true;
  });
  const timer = setTimeout(() => child.kill("SIGKILL"), TIMEOUT);
  // A program that died is told by its answers, which are too few.
  const written = ReadableStream.from(framed(inputs)).pipeTo(child.stdin)
    .catch(() => {});
  try {
    let rest = "";
    for await (
      const text of child.stdout.pipeThrough(new TextDecoderStream())
    ) {
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      yield lines.map((line) => JSON.parse(line));
    }
  } finally {
    clearTimeout(timer);
    // Who has seen enough has left it with answers that nobody reads.
    if (!hasEnded) child.kill("SIGKILL");
    await written;
    await within(ended, `${program} to end`);
  }
}

/** Each input behind its length in 4 bytes, many to a chunk. */
function* framed(
  inputs: Iterable<Uint8Array>,
): Generator<Uint8Array<ArrayBuffer>> {
  let chunk = new Uint8Array(CHUNK_LENGTH);
  let at = 0;
  for (const input of inputs) {
    if (at + 4 + input.length > chunk.length) {
      if (at > 0) yield chunk.subarray(0, at);
      chunk = new Uint8Array(Math.max(CHUNK_LENGTH, 4 + input.length));
      at = 0;
    }
    new DataView(chunk.buffer).setUint32(at, input.length);
    chunk.set(input, at + 4);
    at += 4 + input.length;
  }
  yield chunk.subarray(0, at);
}
