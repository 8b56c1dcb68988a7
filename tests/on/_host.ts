/** The process around the services, on any runtime but workerd. */

import process from "node:process";
import { getHeapStatistics } from "node:v8";
import { ProxyProtocolError } from "../../codec/mod.ts";
import type { ListenerStats } from "../../conn/types.ts";
import {
  DEFAULT_SERVICES,
  type Listening,
  type Rejected,
  type Relayed,
  type Service,
  type Services,
  type ToldFacts,
} from "./_service.ts";

/** What a service logs. */
export interface Log {
  onReject(error: unknown): void;
  onRelayed(relayed: Relayed): void;
}

/** A service that runs. */
export interface Opened {
  /** Where it listens; 0 for a path. */
  port: number;
  stats?: ListenerStats;
  /** Stops listening; what is being served goes on. */
  close(): void;
}

const LONGEST_LOG = 500;

/** Exit status of a server in which an error was not handled. */
const UNHANDLED = 70;

/**
 * Opens the services that the environment names, tells their ports in a line,
 * then answers: a line `facts` with the facts; `close` closes the services, and
 * nothing else keeps the process alive then; at the end of its input it exits.
 */
export async function host(
  open: (service: Service, log: Log) => Opened | Promise<Opened>,
): Promise<void> {
  // Nothing that a peer does may surface here.
  for (const event of ["uncaughtException", "unhandledRejection"] as const) {
    process.on(event, (error: unknown) => {
      console.error(event, error);
      process.exit(UNHANDLED);
    });
  }
  const services: Services = process.env.SERVICES === undefined
    ? DEFAULT_SERVICES
    : JSON.parse(process.env.SERVICES);
  const running = new Map<string, Running>();
  for (const [name, service] of Object.entries(services)) {
    const rejected: Rejected[] = [];
    const relayed: Relayed[] = [];
    const opened = await open(service, {
      onReject: (error) => keep(rejected, toRejected(error)),
      onRelayed: (one) => keep(relayed, one),
    });
    running.set(name, { opened, rejected, relayed });
  }
  const ports = Array.from(
    running,
    ([name, { opened }]) => [name, opened.port],
  );
  const told: Listening = {
    pid: process.pid,
    ports: Object.fromEntries(ports),
  };
  console.log(JSON.stringify(told));
  const { stdin } = process;
  const exit = () => process.exit();
  stdin.setEncoding("utf8").on("end", exit).on("data", (text: string) => {
    for (const command of text.trim().split("\n")) {
      if (command === "facts") console.log(JSON.stringify(factsOf(running)));
      if (command !== "close") continue;
      for (const { opened } of running.values()) opened.close();
      stdin.off("end", exit).destroy();
    }
  });
}

/** A service, and what it has logged. */
interface Running {
  opened: Opened;
  rejected: Rejected[];
  relayed: Relayed[];
}

/** A log has a bound, since its memory is counted. */
function keep<T>(log: T[], one: T): void {
  log.push(one);
  if (log.length > LONGEST_LOG) log.shift();
}

function toRejected(error: unknown): Rejected {
  if (!(error instanceof ProxyProtocolError)) throw error;
  const { code, hop, received } = error;
  return {
    code,
    ...(hop !== undefined && "port" in hop && { port: hop.port }),
    ...(received !== undefined && { received: received.length }),
  };
}

function factsOf(running: ReadonlyMap<string, Running>): ToldFacts {
  collectGarbage();
  const { user, system } = process.cpuUsage();
  const services = Array.from(running, ([name, service]) => {
    const { opened: { stats }, rejected, relayed } = service;
    return [name, { ...(stats && { stats }), rejected, relayed }] as const;
  });
  return {
    heap: getHeapStatistics().used_heap_size,
    cpu: (user + system) / 1000,
    services: Object.fromEntries(services),
  };
}

/** Of Deno and Node, where they are told to show it. */
declare const gc: (() => void) | undefined;
declare const Bun: { gc(isAtOnce: boolean): void } | undefined;

function collectGarbage(): void {
  if (typeof gc === "function") gc();
  else if (typeof Bun !== "undefined") Bun.gc(true);
}
