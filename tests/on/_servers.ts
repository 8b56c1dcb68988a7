/**
 * Our servers on every runtime, as processes of their own.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { utf8 } from "../_bytes.ts";
import { within } from "../_within.ts";
import { Queue } from "./bun/_client.ts";
import { readLines } from "./workerd/_workerd.ts";
import { startWatchedWorkerd } from "./workerd/_watched.ts";
import {
  DEFAULT_SERVICES,
  type Facts,
  type Listening,
  type Order,
  type ServiceFacts,
  type Services,
  type ToldFacts,
} from "./_service.ts";
import { bunProgram, nodeProgram } from "../_npm.ts";

/** A server that runs. */
export interface Server extends AsyncDisposable {
  /** Where its only service listens, or the first of them. */
  port: number;
  /** Where each service listens. */
  ports: ReadonlyMap<string, number>;
  /** Whether a signal closes its listener, which on Bun is the application's. */
  closesOnSignal: boolean;
  /** Gives an order to a service that is watched; what it tells then. */
  order(order: Order): Promise<ServiceFacts>;
}

/** A server that tells of itself. */
export interface Host extends Server {
  /** Its process. */
  pid: number;
  /** What it tells. */
  facts(): Promise<Facts>;
  /** Closes its services, and makes sure that nothing keeps it alive. */
  end(): Promise<void>;
}

/** How a runtime runs a script: a command of the shell. */
interface Program {
  command: string;
  script: string;
  closesOnSignal: boolean;
}

const PROGRAMS = {
  Deno: {
    command: `"${Deno.execPath()}" run -A --quiet --v8-flags=--expose-gc`,
    script: "deno/_server.ts",
    closesOnSignal: true,
  },
  Bun: {
    command: `"${bunProgram()}" run`,
    script: "bun/_server.ts",
    closesOnSignal: false,
  },
  "node 24": {
    command: `"${nodeProgram()}" --expose-gc`,
    script: "node/_server.ts",
    closesOnSignal: true,
  },
} satisfies Record<string, Program>;

/** How to start a server of each that tells of itself. */
export const HOSTS: Readonly<
  Record<string, (services?: Services, files?: number) => Promise<Host>>
> = Object.fromEntries(
  Object.entries(PROGRAMS).map(([runtime, program]) => [
    runtime,
    (services, files) => startHost(program, services, files),
  ]),
);

/** How to start a server of `./node` on the other runtimes that it is for. */
export const NODE_HOSTS: typeof HOSTS = Object.fromEntries(
  Object.entries(PROGRAMS).filter(([runtime]) => runtime !== "node 24").map(
    ([runtime, program]) => {
      const { script, closesOnSignal } = PROGRAMS["node 24"];
      const ofNode = { ...program, script, closesOnSignal };
      return [runtime, (services) => startHost(ofNode, services)];
    },
  ),
);

/** Starts a server of `./node` on Node. */
export function startOnNode(services?: Services): Promise<Host> {
  return startHost(PROGRAMS["node 24"], services);
}

/** How to start a server of each runtime. */
export const RUNTIMES: Readonly<
  Record<string, (services?: Services) => Promise<Server>>
> = { ...HOSTS, workerd: startWatchedWorkerd };

/** Starts a script on node 24 that tells its port, and ends when its input does. */
export async function startNode(
  script: string,
): Promise<{ port: number } & AsyncDisposable> {
  const { command } = PROGRAMS["node 24"];
  const child = await startChild(`exec ${command} "${script}"`);
  return { port: Number(child.told), ...child };
}

async function startHost(
  { command, script, closesOnSignal }: Program,
  services: Services = DEFAULT_SERVICES,
  files?: number,
): Promise<Host> {
  const limit = files === undefined ? "" : `ulimit -n ${files}; `;
  const path = new URL(script, import.meta.url).pathname;
  const child = await startChild(`${limit}exec ${command} "${path}"`, {
    SERVICES: JSON.stringify(services),
  });
  const told: Listening = JSON.parse(child.told);
  const ports = new Map(Object.entries(told.ports));
  const [port = 0] = ports.values();
  return {
    pid: told.pid,
    port,
    ports,
    closesOnSignal,
    order: async (order) => JSON.parse(await child.ask(JSON.stringify(order))),
    async facts() {
      const facts: ToldFacts = JSON.parse(await child.ask("facts"));
      const files = [...Deno.readDirSync(`/proc/${told.pid}/fd`)].length;
      const status = Deno.readTextFileSync(`/proc/${told.pid}/status`);
      const memory = 1024 * Number(/^VmRSS:\s*(\d+)/m.exec(status)?.[1]);
      return { ...facts, files, memory };
    },
    async end() {
      await child.tell("close");
      assertEquals(await within(child.status, "the server to end"), 0);
    },
    [Symbol.asyncDispose]: () => child[Symbol.asyncDispose](),
  };
}

/** A process that has told its first line. */
interface Child extends AsyncDisposable {
  /** The first line. */
  told: string;
  /** Says a line. */
  tell(line: string): Promise<void>;
  /** Says a line; the one that answers it. */
  ask(line: string): Promise<string>;
  /** Its exit status. */
  status: Promise<number>;
}

async function startChild(
  command: string,
  env: Record<string, string> = {},
): Promise<Child> {
  const child = new Deno.Command("sh", {
    args: ["-c", command],
    env: { NO_COLOR: "1", ...env },
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const lines = new Queue<string>();
  const reading = readLines(child.stdout, (line) => lines.add(line));
  const input = child.stdin.getWriter();
  const ended = child.status.then(({ code }) => {
    throw new Error(`${command} ended: ${code}`);
  });
  ended.catch(() => {});
  const hear = () => Promise.race([lines.next("a line of a server"), ended]);
  const tell = (line: string) => input.write(utf8(line + "\n"));
  return {
    told: await hear(),
    tell,
    async ask(line) {
      const answer = hear(); // others may ask before it comes
      await tell(line);
      return await answer;
    },
    status: child.status.then(({ code }) => code),
    async [Symbol.asyncDispose]() {
      await input.close().catch(() => {}); // it has ended already
      const { code } = await within(child.status, "a server to end");
      await reading;
      assertEquals(code, 0);
    },
  };
}
