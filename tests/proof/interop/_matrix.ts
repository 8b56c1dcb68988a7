/**
 * The rows of all systems as data, and as the tables of `README.md`.
 *
 * @module
 */

import type { Row } from "./_system.ts";

const BEGIN = "<!-- interop -->";
const END = "<!-- /interop -->";

/** Where the rows are kept, and the page that shows them. */
export const MATRIX: URL = new URL("matrix.json", import.meta.url);
export const PAGE: URL = new URL("README.md", import.meta.url);

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

/** The tables of the page. */
export function toMarkdown(matrix: readonly Tested[]): string {
  const of = (direction: Row["direction"]) =>
    matrix.filter((tested) => tested.direction === direction);
  return [
    "| Sender | Version | Rows | Headers | TLVs | Remarks |",
    "| - | - | - | - | - | - |",
    ...of("sender").map(senderLine),
    "",
    "| Receiver | Version | Rows | As specified | Remarks |",
    "| - | - | - | - | - |",
    ...of("receiver").map(receiverLine),
  ].join("\n");
}

/** A page with other tables between the marks. */
export function replaceTables(text: string, tables: string): string {
  const begin = text.indexOf(BEGIN);
  const end = text.indexOf(END);
  if (begin < 0 || end < begin) throw new Error(`No ${BEGIN} and ${END}`);
  return `${text.slice(0, begin + BEGIN.length)}\n\n${tables}\n\n${
    text.slice(end)
  }`;
}

function keyOf({ system, direction }: Pick<Tested, "system" | "direction">) {
  return `${direction} ${system}`;
}

function senderLine({ system, version, rows }: Tested): string {
  const seen = rows.filter(({ ok }) => ok).map(({ seen }) => seen);
  return line(
    system,
    version,
    String(rows.length),
    headers(seen),
    tlvs(seen),
    sentences([...remarks(rows), ...runtimes(rows)]),
  );
}

/** Versions with their families, as far as rows name them. */
function headers(seen: readonly string[]): string {
  return [1, 2].map((version) => {
    const kinds = seen.map((text) =>
      new RegExp(`^v${version} ([^,]+)`).exec(text)?.[1]?.replace(" STREAM", "")
    );
    return [`v${version}`, unique(kinds)] as const;
  }).filter(([, kinds]) => kinds.length > 0)
    .map(([version, kinds]) => `${version} ${kinds.join(", ")}`).join("; ");
}

/** Names behind header and addresses, without those that are parts of SSL. */
function tlvs(seen: readonly string[]): string {
  const names = seen.flatMap((text) => text.split(", ").slice(2))
    .flatMap((text) => text.split(" "))
    .map((text) => /^([A-Z][A-Z_0-9]*|x[0-9A-F]{2})(?==|$)/.exec(text)?.[1]);
  return unique(names).filter((name) => !name.startsWith("SSL_")).join(", ");
}

/** A row with a note is one that does otherwise. */
function receiverLine({ system, version, rows }: Tested): string {
  const regular = rows.filter(({ note, ok }) => ok && note === undefined);
  return line(
    system,
    version,
    String(rows.length),
    String(regular.length),
    sentences(remarks(rows)),
  );
}

/** The runtimes of our servers that it was tried in front of. */
function runtimes(rows: Tested["rows"]): string[] {
  const names = unique(
    rows.map(({ input }) => / to our server on (.+)$/.exec(input)?.[1]),
  );
  return names.length === 0
    ? []
    : [`also in front of our servers on ${names.join(", ")}`];
}

function remarks(rows: Tested["rows"]): string[] {
  return [
    ...unique(rows.map(({ note }) => note)),
    ...rows.filter(({ ok }) => !ok).map(({ input }) => `**not** ${input}`),
  ];
}

function unique(texts: readonly (string | undefined)[]): string[] {
  return [...new Set(texts.filter((text) => text !== undefined))];
}

/** Remarks as sentences: a chain of them is hard to read. */
function sentences(texts: readonly string[]): string {
  return texts.map((text) => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`)
    .join(" ");
}

function line(...cells: string[]): string {
  return `| ${cells.join(" | ")} |`;
}
