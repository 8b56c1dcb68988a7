/** Runs a program on a runtime, from where the package is installed. */

import { createSocket } from "node:dgram";
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { LONGEST_WAIT, within } from "../_within.ts";
import { bunProgram, nodeProgram } from "../_npm.ts";
import { freePort } from "../_ports.ts";

/** How to start a file, by runtime. */
export const RUNTIMES: Readonly<Record<string, [string, ...string[]]>> = {
  Node: [nodeProgram()],
  Deno: [Deno.execPath(), "run", "-A", "--quiet", "--no-lock"],
  Bun: [bunProgram()],
};

/** How long to wait before the next try to connect, in ms. */
const RETRY_DELAY = 25;

/** A program that runs. */
export interface Program extends AsyncDisposable {
  /** Connects as soon as it listens; fails when it has ended. */
  dial(port: number): Promise<Deno.TcpConn>;
  /** Waits until it has printed a text, as `alike` compares. */
  printed(text: string): Promise<void>;
  /** The lines of its standard output so far. */
  readonly lines: readonly string[];
  /** Rejects when it has ended. */
  ended: Promise<never>;
}

/** Reduces what is printed of a value to what is the same on every runtime. */
export function alike(printed: string): string {
  return printed.replaceAll(/[\s"'`]/g, "").replaceAll(/,(?=[}\])])/g, "");
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
  let standardOutput = "";
  let notify = Promise.withResolvers<void>();
  const readings = [child.stdout, child.stderr].map(async (stream) => {
    for await (const text of stream.pipeThrough(new TextDecoderStream())) {
      output += text;
      if (stream === child.stdout) standardOutput += text;
      notify.resolve();
    }
  });
  const ended = Promise.all(readings).then(() => {
    throw new Error(`The program has ended, it printed:\n${output}`);
  });
  ended.catch(() => {});
  const wait = async (text: string): Promise<void> => {
    while (!alike(output).includes(alike(text))) {
      await Promise.race([notify.promise, ended]);
      notify = Promise.withResolvers();
    }
  };
  return {
    ended,
    get lines() {
      return standardOutput.split("\n").filter((line) => line !== "");
    },
    async dial(port) {
      const end = performance.now() + LONGEST_WAIT;
      for (;;) {
        try {
          return await Deno.connect({ hostname: "127.0.0.1", port });
        } catch (cause) {
          if (performance.now() > end) {
            throw new Error(`Not listening, printed:\n${output}`, { cause });
          }
          await Promise.race([ended, delay(RETRY_DELAY)]);
        }
      }
    },
    async printed(text) {
      try {
        await within(wait(text), `"${text}"`);
      } catch (cause) {
        throw new Error(`Printed instead of "${text}":\n${output}`, { cause });
      }
    },
    async [Symbol.asyncDispose]() {
      try {
        child.kill();
      } catch {
        // It has ended by itself, and what it printed says why.
      }
      await within(child.status, "the program to end");
      await Promise.all(readings);
    },
  };
}

/** Sends a datagram until it is answered; nothing else tells that somebody listens. */
export async function exchange(
  port: number,
  datagram: Uint8Array,
  program: Program,
): Promise<Uint8Array> {
  const socket = createSocket("udp4");
  const answered = once(socket, "message");
  const send = () => socket.send(datagram, port, "127.0.0.1");
  const timer = setInterval(send, 100);
  try {
    const [answer] = await within(
      Promise.race([answered, program.ended]),
      "a datagram",
    );
    return Uint8Array.from(answer);
  } finally {
    clearInterval(timer);
    socket.close();
    await once(socket, "close");
  }
}

/** How often to start anew, in case somebody else has taken a port. */
const ATTEMPTS = 3;

/** What runtimes say when somebody else has. */
const TAKEN_REGEXP = /EADDRINUSE|AddrInUse|address already in use/i;

/** Runs a program on a port that is free. */
export async function onFreePort(
  work: (port: number) => Promise<void>,
): Promise<void> {
  for (let attempt = 1;; attempt++) {
    try {
      return await work(freePort());
    } catch (error) {
      const isTaken = TAKEN_REGEXP.test(Deno.inspect(error));
      if (!isTaken || attempt === ATTEMPTS) throw error;
    }
  }
}
