/**
 * One real system, and how its rows of the matrix come about: as steps of a
 * test or in the runner.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { ProxyProtocolError } from "../../../mod.ts";
import { within } from "../../_within.ts";
import { findProgram, record, type Row } from "./_system.ts";

/** An input, and what is to come of it. */
export interface Case extends Pick<Row, "input" | "expected" | "note"> {
  /** What of ours it goes to; `accept()` unless something else is said. */
  target?: string;
  /** Tries it; what came of it. */
  see: () => Promise<string>;
}

/** Tries one input and records the row. */
export type Attempt = (one: Case) => Promise<void>;

/** A system of the matrix. */
export interface Driver {
  /** Its name. */
  system: string;
  /** What it does to a header. */
  direction: Row["direction"];
  /** The programs that have to be there. */
  programs: readonly string[];
  /** How to ask for the version: a command whose output holds it. */
  version: readonly [program: string, ...args: string[]];
  /** Whether every run of CI takes it, and not only `--all`. */
  isInEveryRun: boolean;
  /** Starts it and tries all inputs. */
  run(attempt: Attempt): Promise<void>;
}

/** How a step is run; of a test, or plainly. */
export type Step = (
  name: string,
  work: () => Promise<void>,
) => Promise<unknown>;

/** Tries all inputs of a system. */
export async function drive(driver: Driver, step: Step): Promise<void> {
  await driver.run(await attempts(driver, step));
}

/** Tries inputs of a system one by one. One that goes wrong is a row too. */
export async function attempts(
  driver: Pick<Driver, "system" | "version" | "direction">,
  step: Step,
): Promise<Attempt> {
  const { system, direction } = driver;
  const version = await versionOf(driver.version);
  return async ({ input, expected, note, target, see }) => {
    const name = `${system} sends ${input} to ${target ?? "accept()"}`;
    await step(name, async () => {
      const seen = await within(see(), "the outcome").catch((error) =>
        error instanceof ProxyProtocolError
          ? `refused: ${error.code}`
          : `${error}`
      );
      record({
        system,
        version,
        direction,
        input: target === undefined ? input : `${input} to ${target}`,
        expected,
        seen,
        ok: seen === expected,
        ...(note === undefined ? {} : { note }),
      });
      assertEquals(seen, expected);
    });
  };
}

/** The first that looks like a version in what a program says of itself. */
async function versionOf(
  [program, ...args]: Driver["version"],
): Promise<string> {
  const path = findProgram(program);
  if (path === undefined) throw new Error(`${program} is not installed`);
  const { stdout, stderr } = await new Deno.Command(path, {
    args,
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  const text = decoder.decode(stdout) + decoder.decode(stderr);
  return /\d+\.\d+(\.\d+)*|\d{8}/.exec(text)?.[0] ?? "unknown";
}
