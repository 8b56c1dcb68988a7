/**
 * Compares what we make of headers with what another implementation makes of
 * them, and sorts the differences by the rules that explain them.
 *
 * @module
 */

import {
  decode,
  type ProxyInfo,
  ProxyProtocolError,
} from "../../../codec/mod.ts";
import { toHex } from "../../codec/_hex.ts";
import { inputOf } from "../fuzz/_fuzz.ts";
import { outcomeOf } from "../fuzz/_outcome.ts";
import type { Facts } from "./_facts.ts";
import { type Answer, answersOf } from "./_peer.ts";
import type { Rule, Rules } from "./_rules.ts";

/** No limit: neither of the others has one that matters here. */
const OPTIONS = { maxLength: 65551 };

/** Another implementation. */
export interface Peer {
  name: string;
  program: string;
  args: readonly string[];
  /** What it tells, of what we decoded. */
  factsOf(info: ProxyInfo): Facts;
  /** Its answer under our names. */
  renamed?(facts: Facts): Facts;
  rules: Rules;
}

/** What a rule explains. */
type Kind = "accepts" | "refuses" | "reads otherwise";

/** The class that a rule makes. */
function classOf(kind: Kind, { name, why }: Rule): string {
  return `it ${kind}: ${name} (${why})`;
}

/** How many headers were in each class. */
export type Classes = Map<string, number>;

/**
 * Compares so many inputs of a seed.
 *
 * @throws {Error} at the first difference that no rule explains.
 */
export async function compare(
  peer: Peer,
  seed: number,
  count: number,
): Promise<Classes> {
  // Sent, but not yet answered.
  const sent: Uint8Array[] = [];
  function* inputs() {
    for (let index = 0; index < count; index++) {
      const { bytes } = inputOf(seed, index);
      sent.push(bytes);
      yield bytes;
    }
  }
  const classes: Classes = new Map();
  let index = 0;
  const { program, args } = peer;
  for await (const answers of answersOf(program, args, inputs())) {
    const asked = sent.splice(0, answers.length);
    for (const [i, bytes] of asked.entries()) {
      const names = classesOf(
        peer,
        bytes,
        answers[i] ?? {},
        `${index} of ${seed}`,
      );
      for (const name of names) classes.set(name, (classes.get(name) ?? 0) + 1);
      index++;
    }
  }
  if (index !== count) {
    throw new Error(`${peer.name} answered ${index} of ${count} inputs`);
  }
  return classes;
}

/** The classes that the rules of an implementation make. */
export function classesOfRules({ rules }: Peer): string[] {
  return [
    ...rules.accepts.map((rule) => classOf("accepts", rule)),
    ...rules.refuses.map((rule) => classOf("refuses", rule)),
    ...rules.reads.map((rule) => classOf("reads otherwise", rule)),
  ];
}

/** The classes of one header; one, unless several rules explain it together. */
function classesOf(
  peer: Peer,
  bytes: Uint8Array,
  { refused, facts }: Answer,
  input: string,
): string[] {
  const outcome = outcomeOf(bytes, OPTIONS);
  const info = outcome instanceof ProxyProtocolError ? undefined : outcome;
  const { rules } = peer;
  const unexplained = (what: string) =>
    new Error(`${peer.name}, input ${input}: ${what}: ${toHex(bytes)}`);
  if (facts === undefined) {
    if (refused === undefined) throw unexplained("no answer");
    if (info === undefined) return ["both refuse"];
    const rule = rules.refuses.find(({ applies }) => applies(info, bytes));
    if (rule !== undefined) return [classOf("refuses", rule)];
    throw unexplained(`refused as ${refused}, accepted here`);
  }
  if (info === undefined) {
    const names = explainAccepted(rules, bytes);
    if (names !== undefined) return names;
    throw unexplained(`accepted, refused here as ${outcome}`);
  }
  const theirs = peer.renamed?.(facts) ?? facts;
  const ours = peer.factsOf(info);
  const classes = new Set<string>();
  for (const name of new Set([...Object.keys(ours), ...Object.keys(theirs)])) {
    const fact = { name, ours: ours[name], theirs: theirs[name] };
    if (fact.ours === fact.theirs) continue;
    const rule = rules.reads.find(({ applies }) =>
      applies(info, fact, { ours, theirs })
    );
    if (rule === undefined) {
      throw unexplained(`${name} is ${fact.theirs}, here ${fact.ours}`);
    }
    classes.add(classOf("reads otherwise", rule));
  }
  return classes.size === 0 ? ["both accept, facts alike"] : [...classes];
}

/**
 * The rules without whose slips, undone one after the other, the header is
 * accepted here as well; `undefined` when that does not come to pass.
 */
function explainAccepted(
  { accepts }: Rules,
  bytes: Uint8Array,
): string[] | undefined {
  const names: string[] = [];
  let header = bytes;
  let options = OPTIONS;
  for (const rule of accepts) {
    const before = outcomeOf(header, options);
    if (isAccepted(before)) break;
    const changed = rule.undo?.(header) ?? header;
    const wider = { ...options, ...rule.options };
    const isUsed = changed !== header ||
      outcomeText(header, wider) !== outcomeText(header, options);
    if (isUsed) names.push(classOf("accepts", rule));
    header = changed;
    options = wider;
  }
  return isAccepted(outcomeOf(header, options)) ? names : undefined;
}

function isAccepted(outcome: unknown): boolean {
  return outcome !== undefined && !(outcome instanceof ProxyProtocolError);
}

function outcomeText(header: Uint8Array, options: typeof OPTIONS): string {
  try {
    return decode(header, options) === undefined ? "incomplete" : "accepted";
  } catch (error) {
    return `${error}`;
  }
}

/** The counts as lines, most first. */
export function tableOf(classes: Classes): string {
  return [...classes].sort(([, a], [, b]) => b - a)
    .map(([name, count]) => `${String(count).padStart(9)}  ${name}`)
    .join("\n");
}
