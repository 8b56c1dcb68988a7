import { decode } from "../../codec/mod.ts";
import { LABORIOUS } from "../codec/_laborious.ts";

/** TLVs in a header, in bytes. */
const HALF = 0x7f80;
const WHOLE = 2 * HALF;

/** The best of so many runs counts: others are slowed by something else. */
const RUNS = 30;

/** How much longer twice the bytes may take. */
const MOST = 3;

/**
 * Times headers of 32 and of 64 KiB: what takes four times as long is not
 * linear. Says what it saw.
 *
 * @throws {Error} when it takes too long.
 */
export function* checkLinear(): Generator<string> {
  for (const [name, headerOf] of LABORIOUS) {
    const half = bestTime(headerOf(HALF));
    const whole = bestTime(headerOf(WHOLE));
    const ratio = whole / half;
    const what = `64 KiB of ${name}: ${(1000 * whole).toFixed(0)} us, ` +
      `${ratio.toFixed(2)} times that of 32 KiB`;
    if (ratio > MOST) throw new Error(`Not linear: ${what}`);
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
