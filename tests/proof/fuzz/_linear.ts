import { decode } from "../../../codec/mod.ts";
import { LABORIOUS } from "../../codec/_laborious.ts";

/** TLVs in a header, in bytes. */
const QUARTER = 0x3fc0;
const WHOLE = 4 * QUARTER;

/** How much longer four times the bytes may take: between 4 and 16. */
const MOST = 8;

/** The best of so many runs counts: others are slowed by something else. */
const RUNS = 20;

/** How often to run them anew while it seems too long. */
const ROUNDS = 20;

/**
 * Times headers of 16 and of 64 KiB: what takes 16 times as long is not
 * linear. Says what it saw.
 *
 * @throws {Error} when it takes too long.
 */
export function* checkLinear(): Generator<string> {
  for (const [name, headerOf] of LABORIOUS) {
    const headers = [headerOf(QUARTER), headerOf(WHOLE)] as const;
    let [quarter, whole] = [Infinity, Infinity];
    for (let round = 0; round < ROUNDS; round++) {
      quarter = Math.min(quarter, bestTime(headers[0]));
      whole = Math.min(whole, bestTime(headers[1]));
      if (whole <= MOST * quarter) break;
    }
    const what = `64 KiB of ${name}: ${(1000 * whole).toFixed(0)} us, ` +
      `${(whole / quarter).toFixed(2)} times that of 16 KiB`;
    if (whole > MOST * quarter) throw new Error(`Not linear: ${what}`);
    yield what;
  }
}

/** The shortest time of a decode, in ms. */
function bestTime(header: Uint8Array): number {
  let best = Infinity;
  for (let run = 0; run < RUNS; run++) {
    const start = performance.now();
    decode(header, { maxLength: 65551, checksum: "ignore" });
    best = Math.min(best, performance.now() - start);
  }
  return best;
}
