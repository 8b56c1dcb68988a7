import { execFileSync } from "node:child_process";
import type { Samples } from "./codec.ts";
import type { Effort } from "./measure.ts";
import { ownRuntime, pathOf } from "./_processes.ts";

/** Effort of each process, and how many there are. */
export interface Processes extends Effort {
  processes: number;
}

/** What `bench.ts` spends on a kind of work, and with `--quick`. */
export const FULL: Processes = { processes: 5, rounds: 15, time: 4 };
export const QUICK: Processes = { processes: 1, rounds: 3, time: 1 };

/** Measures the codec in fresh processes of this runtime, one after the other. */
export function measureCodec(
  { processes, rounds, time }: Processes,
): Samples[][] {
  const [program, ...args] = ownRuntime();
  return Array.from({ length: processes }, () =>
    JSON.parse(
      execFileSync(
        program,
        [...args, pathOf("_codec_worker.ts"), `${rounds}`, `${time}`],
        {
          encoding: "utf8",
          maxBuffer: 2 ** 26,
          stdio: ["ignore", "pipe", "inherit"],
        },
      ),
    ));
}
