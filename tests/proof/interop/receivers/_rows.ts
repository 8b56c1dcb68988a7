/**
 * Runs a receiver through all inputs.
 *
 * @module
 */

import { existsSync } from "node:fs";
import { findProgram, type Row } from "../_system.ts";
import { type Input, INPUTS } from "./_inputs.ts";
import type { Receiver, Receiving } from "./_receiver.ts";
import { print } from "./_facts.ts";

/** The programs or files of a receiver that are not there. */
export function missing({ programs }: Receiver): string[] {
  return programs.filter((name) =>
    name.startsWith("/") ? !existsSync(name) : findProgram(name) === undefined
  );
}

/** Starts a receiver, sends it all inputs, and ends it. */
export async function* rowsOf(receiver: Receiver): AsyncGenerator<Row> {
  const version = await receiver.version();
  await using receiving = await receiver.start();
  for (const input of INPUTS) {
    if (receiver.isUdp && input.cut !== undefined) continue;
    yield await rowOf(receiver, version, receiving, input);
  }
}

async function rowOf(
  receiver: Receiver,
  version: string,
  receiving: Receiving,
  input: Input,
): Promise<Row> {
  const { outcome, note } = { ...input, ...receiver.differs[input.name] };
  const expected = outcome === "told"
    ? print(input.facts, receiver.tells)
    : outcome;
  // One that does not answer is a row as well, and the next input is tried.
  const seen = await receiving.probe(input).catch(String);
  return {
    system: receiver.name,
    version,
    direction: "receiver",
    input: input.name,
    expected,
    seen,
    ok: seen === expected,
    ...(note === undefined ? {} : { note }),
  };
}
