/** The process around the services, on any runtime but workerd. */

import process from "node:process";
import { getHeapStatistics } from "node:v8";
import type { ProxyInfo } from "../../codec/mod.ts";
import type { ListenerOptions, ListenerStats } from "../../conn/types.ts";
import { askedOptions } from "./_asked.ts";
import type { Seen } from "./_seen.ts";
import {
  DEFAULT_SERVICES,
  type Listening,
  type Order,
  type Relayed,
  type Service,
  type ServiceFacts,
  type Services,
  type ToldFacts,
  toRejected,
} from "./_service.ts";
import { answer, type Verdict } from "./_verdict.ts";

/** What a service logs. */
export interface Log {
  onReject(error: unknown): void;
  onRelayed(relayed: Relayed): void;
}

/** What a service is opened with; `C` is what its application is handed. */
export interface Hooks<C> extends Log {
  /** All that `proxied` takes. */
  options: Omit<ListenerOptions, "verify"> & {
    verify?: (info: ProxyInfo, conn: C) => boolean | Promise<boolean>;
  };
  /**
   * Called with each connection that the application is handed, and with `lazy`
   * with what says when it is ready.
   */
  onServed(conn: C, ready?: Promise<unknown>): void;
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

/** That of a service which nobody watches: what is told of it is garbage in its heap. */
const SHORT_LOG = 100;

/** Exit status of a server in which an error was not handled. */
const UNHANDLED = 70;

/**
 * Opens the services that the environment names, tells their ports in a line,
 * then answers: a line `facts` with the facts; an order with those of its
 * service; `close` closes the services, and nothing else keeps the process alive
 * then; at the end of its input it exits.
 *
 * @param see Looks at what an application is handed.
 */
export async function host<C>(
  see: (conn: C) => Seen,
  open: (service: Service, hooks: Hooks<C>) => Opened | Promise<Opened>,
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
    const watch = new Watch<C>(service, see);
    const opened = await open(service, watch);
    running.set(name, { opened, watch });
  }
  const ports = Array.from(
    running,
    ([name, { opened }]) => [name, opened.port],
  );
  const told: Listening = {
    pid: process.pid,
    ports: Object.fromEntries(ports),
  };
  tell(JSON.stringify(told));
  const { stdin } = process;
  const exit = () => process.exit();
  const obey = (command: string) => {
    if (command === "facts") {
      tell(JSON.stringify(factsOf(running)));
    } else if (command === "close") {
      for (const { opened } of running.values()) opened.close();
      stdin.off("end", exit).destroy();
    } else {
      const order: Order = JSON.parse(command);
      const one = running.get(order.service);
      if (one === undefined) throw new Error(`No service ${order.service}`);
      carryOut(order, one);
      tell(JSON.stringify(factsOfOne(one)));
    }
  };
  let text = "";
  stdin.setEncoding("utf8").on("end", exit).on("data", (more: string) => {
    const commands = (text + more).split("\n");
    text = commands.pop() ?? "";
    commands.forEach(obey);
  });
}

/** Tells a line. Of those by `console.log`, V8 keeps the last thousand on Deno. */
function tell(line: string): void {
  process.stdout.write(line + "\n");
}

/** A service, and what it has logged. */
interface Running {
  opened: Opened;
  watch: Pick<Watch<never>, "logs" | "fire" | "answer">;
}

/** What a service has logged. */
type Logs = Pick<
  ServiceFacts,
  "rejected" | "relayed" | "verified" | "served" | "greeted" | "unready"
>;

/** Gives a service what it is opened with, and keeps what it logs. */
class Watch<C> implements Hooks<C> {
  readonly options: Hooks<C>["options"];
  readonly logs: Logs = {
    rejected: [],
    relayed: [],
    verified: [],
    served: [],
    greeted: [],
    unready: [],
  };
  readonly #see: ((conn: C) => Seen) | undefined;
  readonly #signal = new AbortController();
  readonly #asked: ((verdict: Verdict) => void)[] = [];
  readonly #longest: number;

  constructor({ options, watched }: Service, see: (conn: C) => Seen) {
    this.#see = watched && see;
    this.#longest = watched ? LONGEST_LOG : SHORT_LOG;
    const { verify, asked, onRejectThrows, hasSignal = false } = watched ?? {};
    this.options = {
      ...options,
      onReject: (error) => {
        this.onReject(error);
        if (onRejectThrows) throw new Error("onReject fails");
      },
      ...askedOptions(asked),
      ...(hasSignal && { signal: this.#signal.signal }),
      ...(verify && {
        verify: (_info: ProxyInfo, conn: C) => {
          keep(this.logs.verified, see(conn), this.#longest);
          return verify === "later" ? this.#ask() : answer(verify);
        },
      }),
    };
  }

  async #ask(): Promise<boolean> {
    const verdict = await new Promise<Verdict>((resolve) =>
      this.#asked.push(resolve)
    );
    return await answer(verdict);
  }

  readonly onReject = (error: unknown): void => {
    keep(this.logs.rejected, toRejected(error), this.#longest);
  };

  readonly onRelayed = (relayed: Relayed): void => {
    keep(this.logs.relayed, relayed, this.#longest);
  };

  onServed(conn: C, ready?: Promise<unknown>): void {
    const see = this.#see;
    if (see === undefined) return;
    const { greeted, served, unready } = this.logs;
    if (ready === undefined) return keep(served, see(conn), this.#longest);
    keep(greeted, see(conn), this.#longest);
    ready.then(
      () => keep(served, see(conn), this.#longest),
      (error) => keep(unready, toRejected(error), this.#longest),
    );
  }

  /** Fires the signal. */
  fire(): void {
    this.#signal.abort();
  }

  /** Answers for all that `verify` has not answered. */
  answer(verdict: Verdict): void {
    for (const resolve of this.#asked.splice(0)) resolve(verdict);
  }
}

function carryOut(order: Order, { opened, watch }: Running): void {
  if (order.do === "fire the signal") watch.fire();
  else if (order.do === "close") opened.close();
  else if (order.do === "answer verify") watch.answer(order.verdict);
}

/** A log has a bound, since its memory is counted. */
function keep<T>(log: T[], one: T, longest: number): void {
  log.push(one);
  if (log.length > longest) log.shift();
}

function factsOf(running: ReadonlyMap<string, Running>): ToldFacts {
  collectGarbage();
  const { user, system } = process.cpuUsage();
  const services = Array.from(
    running,
    ([name, one]) => [name, factsOfOne(one)] as const,
  );
  return {
    heap: getHeapStatistics().used_heap_size,
    cpu: (user + system) / 1000,
    services: Object.fromEntries(services),
  };
}

function factsOfOne({ opened: { stats }, watch }: Running): ServiceFacts {
  return { ...(stats && { stats }), ...watch.logs };
}

/** Of Deno and Node, where they are told to show it. */
declare const gc: (() => void) | undefined;
declare const Bun: { gc(isAtOnce: boolean): void } | undefined;

function collectGarbage(): void {
  if (typeof gc === "function") gc();
  else if (typeof Bun !== "undefined") Bun.gc(true);
}
