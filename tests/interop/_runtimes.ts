/**
 * Our servers on every runtime, as processes of their own: they tell whom they
 * see in a line, then echo.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { within } from "../_within.ts";
import { utf8 } from "../_bytes.ts";
import { receive, send } from "../conn/_loopback.ts";
import { OPTIONS } from "../runtimes/_options.ts";
import { startWorkerd } from "../workerd/_workerd.ts";
import type { Dialled } from "./_client.ts";

/** A server that runs. */
export interface Server extends AsyncDisposable {
  /** Where it listens. */
  port: number;
}

const HELLO = utf8("hello");

/** How to start each of them. */
export const RUNTIMES: Readonly<Record<string, () => Promise<Server>>> = {
  Deno: () =>
    startScript(
      [Deno.execPath(), "run", "-A", "--quiet"],
      "../runtimes/_deno_server.ts",
    ),
  Bun: () =>
    startScript(["npx", "-y", "bun@1.4.5"], "../runtimes/_bun_server.ts"),
  "node 24": () => startNode("../runtimes/_node_server.ts"),
  workerd: async () => {
    const service = { role: "tell", options: OPTIONS } as const;
    const workerd = await startWorkerd({ all: service });
    return {
      port: workerd.ports.get("all") ?? 0,
      [Symbol.asyncDispose]: () => workerd[Symbol.asyncDispose](),
    };
  },
};

/** Starts a script on node 24. */
export function startNode(script: string): Promise<Server> {
  return startScript(["npx", "-y", "node@24"], script);
}

/** Starts a script that prints its port, and ends when its input does. */
async function startScript(
  [command = "", ...args]: readonly string[],
  script: string,
): Promise<Server> {
  const child = new Deno.Command(command, {
    args: [...args, new URL(script, import.meta.url).pathname],
    env: { NO_COLOR: "1" },
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const reader = child.stdout.getReader();
  let output = "";
  while (!output.includes("\n")) {
    const { value, done } = await within(reader.read(), "a port", 30_000);
    if (done) throw new Error(`${script} ended`);
    output += new TextDecoder().decode(value);
  }
  return {
    port: Number(output),
    async [Symbol.asyncDispose]() {
      await child.stdin.close();
      await child.status;
      await reader.cancel();
    },
  };
}

/** Whom a server of a runtime sees of a client, whose bytes are repeated. */
export async function seenThroughSender(
  dialling: Promise<Dialled>,
): Promise<string> {
  const { conn, ends: { client } } = await dialling;
  using dialled = conn;
  await send(dialled, HELLO);
  const line = await receiveLine(dialled);
  assertEquals(await receive(dialled, HELLO.length), HELLO);
  const real = "hostname" in client
    ? JSON.stringify({ hostname: client.hostname, port: client.port })
    : "";
  return line === real ? "shows the client" : `shows ${line}`;
}

async function receiveLine(conn: Deno.Conn): Promise<string> {
  for (let line = "";;) {
    const [byte] = await receive(conn, 1);
    if (byte === undefined) return `an end behind ${line}`;
    if (byte === 0x0a) return line;
    line += String.fromCharCode(byte);
  }
}
