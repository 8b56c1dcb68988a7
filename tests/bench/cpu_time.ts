import { readdirSync, readFileSync } from "node:fs";

/**
 * CPU time in ns of all threads of a process, from the scheduler. The times of
 * `getrusage` and `/proc/PID/stat` have ticks of 4 or 10 ms.
 */
export function cpuTime(pid: number): number {
  let sum = 0;
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    try {
      const text = readFileSync(
        `/proc/${pid}/task/${thread}/schedstat`,
        "latin1",
      );
      sum += Number(text.split(" ")[0]);
    } catch {
      // The thread has ended.
    }
  }
  return sum;
}
