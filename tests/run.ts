/**
 * Runs the tests, or those that are named: `deno task test [PATH…]`. Those that
 * take long or want the machine for themselves are a run of their own:
 * `deno task proof`. Options of `deno test` go on to it. (Not `test.ts`, which
 * Deno would take for a test.)
 *
 * @module
 */

import { runDeno, standIns, summaryOf } from "./_steps.ts";

/** Load, and hundreds of thousands of inputs: what takes long. */
const PROOFS = ["tests/proof/load", "tests/proof/differential"];

/** The tests of every change, beside each other: none may depend on its neighbours. */
const QUICK = ["--parallel", `--ignore=${PROOFS.join()}`, "tests"];

async function isPath(arg: string): Promise<boolean> {
  return await Deno.stat(arg).then(() => true, () => false);
}

const isProof = Deno.args[0] === "proof";
const args = Deno.args.slice(isProof ? 1 : 0);
const isNamed = (await Promise.all(args.map(isPath))).includes(true);
// Programs that tests would otherwise wait for, each by itself.
await runDeno(["run", "-A", "--quiet", "tests/_npm.ts"]);
const start = performance.now();
const outcome = await runDeno([
  ...["test", "-A", ...standIns(), ...args],
  // Proofs measure, so they have the machine for themselves.
  ...isNamed ? [] : isProof ? PROOFS : QUICK,
]);
const seconds = Math.round((performance.now() - start) / 1000);
console.log(`\n${summaryOf(outcome)} in ${seconds} s`);
Deno.exit(outcome.failed === 0 ? 0 : 1);
