import cluster from "node:cluster";
import { syncBuiltinESMExports } from "node:module";
import process from "node:process";
import workerThreads from "node:worker_threads";
import { end } from "./rules.ts";
import { PREFIX } from "./variables.ts";

/** A class of workers. */
type WorkerClass = new (...args: never[]) => object;

/** Options of a worker that say what it loads and sees. */
interface WorkerOptions {
  readonly execArgv?: readonly string[];
  readonly preload?: string | readonly string[];
  readonly env?: unknown;
}

/**
 * Makes workers load the module at `url`, which puts their listeners behind the
 * PROXY protocol. Ends the program when it starts a worker that cannot.
 */
export function coverWorkers(url: string): void {
  if ("Deno" in globalThis) return endByWorkers();
  if ("Bun" in globalThis) return preloadInBun(url);
  // Workers of Node use the arguments of the process, unless they receive others.
  const Worker = covered(workerThreads.Worker, (options) => ({
    ...options,
    ...(options?.execArgv && {
      execArgv: [...options.execArgv, "--import", url],
    }),
  }));
  Reflect.set(workerThreads, "Worker", Worker);
  syncBuiltinESMExports();
}

/** Replaces the options of new workers of a class. */
function covered(
  native: WorkerClass,
  cover: (options: WorkerOptions | undefined) => WorkerOptions,
): WorkerClass {
  return new Proxy(native, {
    construct(target, [file, given], newTarget) {
      const options = cover(withVariables(given));
      return Reflect.construct(target, [file, options], newTarget);
    },
  });
}

/** Adds the variables to the environment of a worker that has its own. */
function withVariables(
  options: WorkerOptions | undefined,
): WorkerOptions | undefined {
  const env = options?.env;
  if (typeof env !== "object" || env === null) return options;
  const variables = Object.entries(process.env).filter(([name]) =>
    name.startsWith(PREFIX)
  );
  return { ...options, env: { ...Object.fromEntries(variables), ...env } };
}

/**
 * Workers of Bun do not load the modules of `--preload`, but they have an option for
 * that. A module that imports `Worker` of `node:worker_threads` by its name always
 * receives the class of Bun, but that class calls its parent.
 */
function preloadInBun(url: string): void {
  const cover = (options: WorkerOptions | undefined) => ({
    ...options,
    preload: [url, ...[options?.preload ?? []].flat()],
  });
  const { Worker } = globalThis;
  Reflect.set(globalThis, "Worker", covered(Worker, cover));
  let isCovered = false;
  const native = workerThreads.Worker;
  const guarded = new Proxy(native, {
    construct(target, args, newTarget) {
      isCovered = true;
      try {
        return Reflect.construct(covered(target, cover), args, newTarget);
      } finally {
        isCovered = false;
      }
    },
  });
  Reflect.set(workerThreads, "Worker", guarded);
  guard(native, () => {
    if (isCovered) return;
    end(
      "A worker of node:worker_threads was started by an imported name, so that its listeners would not be behind the PROXY protocol on Bun; use new globalThis.Worker(), require() or Node",
    );
  });
}

/** Workers of Deno and processes of its `node:cluster` load nothing before their module. */
function endByWorkers(): void {
  const refuse = () =>
    end(
      "The program starts a worker, whose listeners would not be behind the PROXY protocol on Deno; use Node or Bun, or proxied() in the code of the worker",
    );
  const { Worker } = globalThis;
  Reflect.set(globalThis, "Worker", new Proxy(Worker, { construct: refuse }));
  guard(workerThreads.Worker, refuse);
  Reflect.set(cluster, "fork", refuse);
}

/** Calls a function for each object of a class, because the class calls its parent. */
function guard(native: object, check: () => void): void {
  const parent: unknown = Object.getPrototypeOf(native);
  if (typeof parent !== "function") return;
  Object.setPrototypeOf(
    native,
    new Proxy(parent, {
      construct(target, args, newTarget) {
        check();
        return Reflect.construct(target, args, newTarget);
      },
    }),
  );
}
