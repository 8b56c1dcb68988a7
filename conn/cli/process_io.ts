/** Standard streams and signals, on every runtime. */

import process from "node:process";
import { type CliIo, OutputClosedError, writeAll } from "./io.ts";
import { isPeerGone } from "../admission/refusal.ts";

/** Those of the process. */
export function processIo(): CliIo {
  const write = isDeno ? writeByDeno : writeByNode;
  return {
    get input() {
      return streamOf(process.stdin);
    },
    get isInputTerminal() {
      return process.stdin.isTTY === true;
    },
    get isOutputTerminal() {
      return process.stdout.isTTY === true;
    },
    write: (bytes) => writing(write("stdout", bytes)),
    warn: (line) =>
      writing(write("stderr", new TextEncoder().encode(`${line}\n`)))
        .catch(ignoreClosed),
    stop: stopSignal,
    onReload: (reload) => void process.on("SIGHUP", reload),
  };
}

const isDeno = "Deno" in globalThis;

type Output = "stdout" | "stderr";

/** By its own call: while nobody reads, `process.stdout` of Deno holds up everything. */
function writeByDeno(name: Output, bytes: Uint8Array): Promise<void> {
  return writeAll(Deno[name], bytes);
}

function writeByNode(name: Output, bytes: Uint8Array): Promise<void> {
  const stream = process[name];
  if (stream.listenerCount("error") === 0) stream.on("error", () => {}); // each write reports it
  return new Promise((resolve, reject) =>
    stream.write(bytes, (error) => error ? reject(error) : resolve())
  );
}

async function writing(written: Promise<void>): Promise<void> {
  try {
    await written;
  } catch (cause) {
    if (!isPeerGone(cause)) throw cause;
    throw new OutputClosedError("Cannot write the output: closed", { cause });
  }
}

function ignoreClosed(error: unknown): void {
  if (!(error instanceof OutputClosedError)) throw error;
}

/** A stream of Node as one of the web, for those who read it to its end or cancel it. */
function streamOf(source: AsyncIterable<unknown>): ReadableStream<Uint8Array> {
  const chunks = source[Symbol.asyncIterator]();
  return new ReadableStream({
    async pull(controller) {
      const { value, done } = await chunks.next();
      if (done) controller.close();
      else if (value instanceof Uint8Array) controller.enqueue(value);
      else throw new TypeError("Cannot read the input: it gives no bytes");
    },
    async cancel() {
      await chunks.return?.();
    },
  });
}

const SIGNALS = process.platform === "win32"
  ? ["SIGINT"] as const
  : ["SIGINT", "SIGTERM"] as const;

/** Once it has fired, the next signal has its usual effect again. */
function stopSignal(): AbortSignal {
  const controller = new AbortController();
  const onSignal = () => {
    for (const name of SIGNALS) process.off(name, onSignal);
    controller.abort();
  };
  for (const name of SIGNALS) process.on(name, onSignal);
  return controller.signal;
}
