/**
 * The rows of all systems as data, and as the table of the README.
 *
 * @module
 */

import type { Row } from "./_system.ts";

const BEGIN = "<!-- interop -->";
const END = "<!-- /interop -->";

/** A system in one direction, with what was tried. */
export interface Tested extends Pick<Row, "system" | "version" | "direction"> {
  rows: Omit<Row, "system" | "version" | "direction">[];
}

/** Rows by system. */
export function bySystem(rows: readonly Row[]): Tested[] {
  const systems = new Map<string, Tested>();
  for (const { system, version, direction, ...row } of rows) {
    const key = keyOf({ system, direction });
    const tested = systems.get(key) ?? { system, version, direction, rows: [] };
    systems.set(key, tested);
    tested.rows.push(row);
  }
  return [...systems.values()];
}

/**
 * What was tried this time, with what was only tried before: a run of the
 * systems of every run does not forget the others.
 */
export function merge(
  before: readonly Tested[],
  now: readonly Tested[],
): Tested[] {
  const current = new Map(now.map((tested) => [keyOf(tested), tested]));
  const known = new Set(before.map(keyOf));
  return [
    ...before.map((tested) => current.get(keyOf(tested)) ?? tested),
    ...now.filter((tested) => !known.has(keyOf(tested))),
  ];
}

/** The tables of the README. */
export function toMarkdown(matrix: readonly Tested[]): string {
  const of = (direction: Row["direction"]) =>
    matrix.filter((tested) => tested.direction === direction);
  return [
    ...["| Sends to us | Version | What | Remarks |", "| - | - | - | - |"],
    ...of("sender").map(senderLine),
    "",
    "| Reads ours | Version | Takes | Shows the hop for | Refuses |",
    "| - | - | - | - | - |",
    ...of("receiver").map(receiverLine),
  ].join("\n");
}

/** A text with other tables between the marks; `undefined` without marks. */
export function replaceTables(
  text: string,
  tables: string,
): string | undefined {
  const begin = text.indexOf(BEGIN);
  const end = text.indexOf(END);
  if (begin < 0 || end < begin) return undefined;
  return `${text.slice(0, begin + BEGIN.length)}\n\n${tables}\n\n${
    text.slice(end)
  }`;
}

function keyOf({ system, direction }: Pick<Tested, "system" | "direction">) {
  return `${direction} ${system}`;
}

function senderLine({ system, version, rows }: Tested): string {
  const inputs = rows.map(({ input, ok }) => ok ? input : `**not** ${input}`);
  const remarks = rows.filter(({ note }) => note !== undefined)
    .map(({ input, note }) => `${input}: ${note}`);
  return line(system, version, inputs.join(", "), remarks.join("; "));
}

function receiverLine({ system, version, rows }: Tested): string {
  const inputs = (isSuch: (seen: string) => boolean) =>
    rows.filter(({ ok, seen }) => ok && isSuch(seen)).map(({ input }) => input)
      .join(", ");
  const unexpected = rows.filter(({ ok }) => !ok)
    .map(({ input }) => `, **not** ${input}`).join("");
  return line(
    system,
    version,
    inputs((seen) => seen !== "real" && seen !== "refused") + unexpected,
    inputs((seen) => seen === "real"),
    inputs((seen) => seen === "refused"),
  );
}

function line(...cells: string[]): string {
  return `| ${cells.join(" | ")} |`;
}
