/** Relays in several processes on the same ports. */

import { type Counts, ofEnded, sumCounts } from "./counts.ts";
import { type CliIo, print, warn } from "./io.ts";
import { lineQueue } from "./line_queue.ts";
import { loadRuntime } from "./load_runtime.ts";
import { readLines } from "./read_lines.ts";
import type { Runtime, Worker } from "./runtime.ts";
import type { Services } from "./services.ts";
import { count } from "./show.ts";
import { KIND, WISH } from "./worker.ts";

/** How long to wait for the counters of a worker, in ms. */
const LONGEST_COUNT = 1000;

/** Time in ms after the end of a worker until another one is started. */
const RESTART_DELAY = 1000;

/** Time in ms after the grace until a worker is killed. */
const KILL_DELAY = 5000;

/** What a worker is started with. */
export interface WorkerProgram {
  args: readonly string[];
  /** What it reads. */
  files: readonly string[];
}

/** Starts workers, and waits until all of them listen. */
export async function startWorkers(
  io: CliIo,
  number: number,
  program: WorkerProgram,
): Promise<Services> {
  const pool = new Pool(io, await loadRuntime(), program);
  try {
    await Promise.all(Array.from({ length: number }, () => pool.start()));
  } catch (error) {
    pool.close();
    throw error;
  }
  return pool;
}

/** A worker that runs. */
interface Member {
  readonly process: Worker;
  /** What it has counted when it was asked last. */
  last: readonly Counts[];
  /** Resolves when it answers, if it has been asked. */
  asked: PromiseWithResolvers<void> | undefined;
}

class Pool implements Services {
  readonly #io: CliIo;
  readonly #runtime: Runtime;
  readonly #program: WorkerProgram;
  readonly #members = new Set<Member>();
  readonly #failed = Promise.withResolvers<never>();
  readonly #log: (line: string) => Promise<void>;
  readonly #restarts = new Set<ReturnType<typeof setTimeout>>();
  /** What workers have counted that have ended. */
  #ofEnded: readonly Counts[] = [];
  #isStopping = false;

  constructor(io: CliIo, runtime: Runtime, program: WorkerProgram) {
    this.#io = io;
    this.#runtime = runtime;
    this.#program = program;
    this.#log = lineQueue(
      (text) => print(io, text).catch(() => {}),
      (missing) =>
        void warn(
          io,
          `${count(missing, "line")} of the log left out: nobody read it`,
        ),
    );
    this.#failed.promise.catch(() => {}); // `failed` reports it
  }

  get ports(): readonly Counts[] {
    const [first] = this.#members;
    return first?.last ?? this.#ofEnded;
  }

  get failed(): Promise<never> {
    return this.#failed.promise;
  }

  /** Starts one worker; resolves when it listens. */
  async start(): Promise<void> {
    const { args, files } = this.#program;
    const process = this.#runtime.spawn(args, files);
    const member: Member = { process, last: [], asked: undefined };
    this.#members.add(member);
    const listening = Promise.withResolvers<void>();
    const reading = this.#read(member, listening.resolve);
    const ended = Promise.all([process.ended, reading]).then(([how]) => {
      this.#members.delete(member);
      this.#ofEnded = sumCounts([this.#ofEnded, ofEnded(member.last)]);
      member.asked?.resolve();
      return how;
    });
    const first = await Promise.race([listening.promise, ended]);
    if (first !== undefined) {
      throw new Error(`Cannot start a worker: it ended with ${first}`);
    }
    ended.then((how) => this.#restart(how));
  }

  /** Starts another worker, unless all will stop. A signal may reach the whole group. */
  #restart(how: string): void {
    if (this.#isStopping) return;
    const timer = setTimeout(async () => {
      this.#restarts.delete(timer);
      try {
        await warn(
          this.#io,
          `A worker has ended with ${how}: starting another`,
        );
        await this.start();
      } catch (error) {
        if (!this.#isStopping) this.#failed.reject(error);
      }
    }, RESTART_DELAY);
    this.#restarts.add(timer);
  }

  async #read(member: Member, onListening: () => void): Promise<void> {
    for await (const line of readLines(member.process.output)) {
      const text = line.slice(1);
      switch (line[0]) {
        case KIND.log:
          this.#log(text);
          break;
        case KIND.listening:
          member.last = JSON.parse(text);
          onListening();
          break;
        case KIND.counts:
          member.last = JSON.parse(text);
          member.asked?.resolve();
          member.asked = undefined;
      }
    }
  }

  async counts(): Promise<readonly Counts[]> {
    const { promise: isLate, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, LONGEST_COUNT);
    await Promise.all(Array.from(this.#members, async (member) => {
      member.asked ??= Promise.withResolvers<void>();
      member.process.write(`${WISH.counts}\n`);
      await Promise.race([member.asked.promise, isLate]);
    }));
    clearTimeout(timer);
    const living = Array.from(this.#members, ({ last }) => last);
    return sumCounts([this.#ofEnded, ...living]);
  }

  reload(): Promise<void> {
    for (const { process } of this.#members) process.write(`${WISH.reload}\n`);
    return Promise.resolve();
  }

  async drain(grace: number): Promise<void> {
    this.#stop();
    const timer = setTimeout(() => this.close(), grace * 1000 + KILL_DELAY);
    await Promise.all(Array.from(this.#members, ({ process }) => {
      process.write(`${WISH.stop}\n`);
      return process.ended;
    }));
    clearTimeout(timer);
  }

  #stop(): void {
    this.#isStopping = true;
    for (const timer of this.#restarts) clearTimeout(timer);
  }

  close(): void {
    this.#stop();
    for (const { process } of this.#members) process.kill();
  }
}
