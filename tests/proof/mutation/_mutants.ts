/** Ways to break a line of code a little. */

/** A change of one line of a file. */
export interface Mutant {
  file: string;
  /** From 1. */
  line: number;
  before: string;
  after: string;
}

type Replacement = (found: string) => string;

/** What is found in a line, and what it becomes. */
const MUTATORS: readonly [RegExp, Replacement][] = [
  [/===/g, () => "!=="],
  [/!==/g, () => "==="],
  [/ < /g, () => " <= "],
  [/ <= /g, () => " < "],
  [/ > /g, () => " >= "],
  [/ >= /g, () => " > "],
  [/ \+ /g, () => " - "],
  [/ - /g, () => " + "],
  [/ \* /g, () => " + "],
  [/ && /g, () => " || "],
  [/ \|\| /g, () => " && "],
  [/ \?\? /g, () => " && "],
  [/ & /g, () => " | "],
  [/ \| (?=[\w(]+)/g, () => " & "],
  [/ \^ /g, () => " | "],
  [/ << /g, () => " >> "],
  [/ >>> /g, () => " << "],
  [/ >> /g, () => " << "],
  [/ \+= /g, () => " -= "],
  [/\+\+/g, () => "--"],
  [/\btrue\b/g, () => "false"],
  [/\bfalse\b/g, () => "true"],
  [/(?<![\w.])!(?=[\w(])/g, () => ""],
  [/\b0x[\da-f]+\b/g, (found) => `${Number(found) + 1}`],
  [/(?<![\w."'`])\d+\b(?!n)/g, (found) => `${Number(found) + 1}`],
  [/\bcontinue;/g, () => ";"],
  [/\bbreak;/g, () => ";"],
  [/\bMath\.min\b/g, () => "Math.max"],
  [/\bMath\.max\b/g, () => "Math.min"],
  [/^(\s+)throw .*;$/g, () => ";"],
];

/** Lines in which there is nothing to run. */
const NO_CODE =
  /^\s*(\/\/|\/?\*|import |export \*|export type|} from |type |\|)/;

/** A union of types, which looks like an operation. */
const UNION =
  /\| ([A-Z][a-z]|string|number|undefined|boolean|null|never|\d+\b[;,)]?$)/;

/** A line without what is in its strings and comments, as long as it was. */
function codeOf(line: string): string {
  return line.replace(/\/\/ .*$/, "")
    .replace(/"[^"]*"|'[^']*'|`[^`$]*`/g, (text) => "_".repeat(text.length));
}

/** All mutants of a source. */
export function* mutantsOf(file: string, source: string): Generator<Mutant> {
  let isType = false;
  for (const [i, before] of source.split("\n").entries()) {
    if (/^(export )?(interface|type) /.test(before)) isType = true;
    if (!isType && !NO_CODE.test(before) && !UNION.test(before)) {
      const code = codeOf(before);
      for (const [pattern, replacement] of MUTATORS) {
        for (const match of code.matchAll(pattern)) {
          const [found] = match;
          const after = before.slice(0, match.index) + replacement(found) +
            before.slice(match.index + found.length);
          yield { file, line: i + 1, before, after };
        }
      }
    }
    if (/^(\}|.*;)$/.test(before)) isType = false;
  }
}
