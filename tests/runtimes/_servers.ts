/**
 * Our servers on every runtime, as processes of their own: they tell whom they
 * see in a line, then echo.
 *
 * @module
 */

import { within } from "../_within.ts";
import { startWorkerd } from "../workerd/_workerd.ts";
import { OPTIONS } from "./_options.ts";

/** A server that runs. */
export interface Server extends AsyncDisposable {
  /** Where it listens. */
  port: number;
}

/** How to start each of them. */
export const RUNTIMES: Readonly<Record<string, () => Promise<Server>>> = {
  Deno: () =>
    startScript(
      [Deno.execPath(), "run", "-A", "--quiet"],
      "_deno_server.ts",
    ),
  Bun: () => startScript(["npx", "-y", "bun@1.4.5"], "_bun_server.ts"),
  "node 24": () => startNode("_node_server.ts"),
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
export function startNode(script: string | URL): Promise<Server> {
  return startScript(["npx", "-y", "node@24"], script);
}

/** Starts a script that prints its port, and ends when its input does. */
async function startScript(
  [command = "", ...args]: readonly string[],
  script: string | URL,
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
      await within(child.status, "the server to end");
      await reader.cancel();
    },
  };
}
