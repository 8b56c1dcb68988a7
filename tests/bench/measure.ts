/** Interleaved rounds, so that what disturbs one contender disturbs all. */

/** One way to do a piece of work, over all its inputs; what it returns keeps it from being optimised away. */
export type Pass = () => number;

/** How long to measure. */
export interface Effort {
  /** Rounds, each with all contenders in turn. */
  rounds: number;
  /** Time of one contender in one round, in ms. */
  time: number;
}

/** Rounds before any is measured, in which the runtime compiles. */
const WARM_UP_ROUNDS = 5;

let sink = 0;

/** Times in ns per pass, by contender and round. */
export function measure(
  contenders: readonly Pass[],
  { rounds, time }: Effort,
): number[][] {
  const counts = contenders.map((pass) => passesIn(pass, time));
  const times: number[][] = contenders.map(() => []);
  for (let i = -WARM_UP_ROUNDS; i < rounds; i++) {
    contenders.forEach((pass, who) => {
      const elapsed = run(pass, counts[who] ?? 1);
      if (i >= 0) times[who]?.push(elapsed);
    });
  }
  if (Number.isNaN(sink)) throw new Error("A contender gave no result");
  return times;
}

/** How many passes take about `time` ms. */
function passesIn(pass: Pass, time: number): number {
  let passes = 1;
  while (run(pass, passes) * passes < time * 1e6 / 2) passes *= 2;
  return Math.max(1, Math.round(time * 1e6 / run(pass, passes)));
}

/** Time of one pass in ns. */
function run(pass: Pass, passes: number): number {
  const start = performance.now();
  for (let i = 0; i < passes; i++) sink += pass();
  return (performance.now() - start) * 1e6 / passes;
}
