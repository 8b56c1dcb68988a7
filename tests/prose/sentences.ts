/** Sentences of what people read, each with its place. */

/** A sentence, without code and markup. */
export interface Sentence {
  /** Line in the file, from 1. */
  line: number;
  text: string;
}

/** Text without code, links and emphasis; what stood for a name stays one word. */
function plain(text: string): string {
  return text
    .replaceAll(/\{@link(?:code|plain)? ([^}|]+)[^}]*\}/g, "$1")
    .replaceAll(/!?\[([^\]]*)\]\([^)]*\)/g, "$1")
    .replaceAll(/<[^>]*>/g, " ")
    .replaceAll(/`[^`]*`/g, "CODE")
    .replaceAll(/["“][^"”]*["”]/g, "QUOTE")
    .replaceAll(/[*_]{1,2}(\S)/g, "$1");
}

/** Splits blocks at ends of sentences; a list item and a cell are blocks. */
function split(blocks: readonly Sentence[]): Sentence[] {
  return blocks.flatMap(({ line, text }) =>
    plain(text).split(/(?<=[.!?]["”)]?)\s+(?=[A-Z`([])/)
      .map((sentence) => ({
        line,
        text: sentence.replaceAll(/\s+/g, " ").trim(),
      }))
      .filter(({ text }) => /[a-z]/i.test(text))
  );
}

/** Sentences of Markdown; fenced code is left out. */
export function ofMarkdown(text: string, firstLine = 1): Sentence[] {
  const blocks: Sentence[] = [];
  let isCode = false;
  let isOpen = false;
  text.split("\n").forEach((raw, i) => {
    const line = raw.trim();
    if (/^(```|~~~)/.test(line)) {
      isCode = !isCode;
      isOpen = false;
      return;
    }
    if (isCode) return;
    if (line === "" || /^<!--/.test(line)) {
      isOpen = false;
      return;
    }
    const at = i + firstLine;
    if (line.startsWith("|")) {
      const cells = line.replaceAll("\\|", " ").split("|");
      blocks.push(...cells.map((text) => ({ line: at, text })));
      isOpen = false;
      return;
    }
    const [, item] = /^(?:[-*]|\d+\.|#+|>)\s+(.*)$/.exec(line) ?? [];
    const last = blocks.at(-1);
    if (item === undefined && isOpen && last !== undefined) {
      last.text += ` ${line}`;
    } else blocks.push({ line: at, text: item ?? line });
    isOpen = !line.startsWith("#");
  });
  return split(blocks);
}

const COMMENT_REGEXP =
  /\/\*\*?([\s\S]*?)\*\/|((?:^[ \t]*\/\/.*\n)+)|\/\/ (.*)$/gm;

/** Tags of documentation; what follows an example is its title. */
const TAG_REGEXP =
  /^@(?:module|example|default \{.*\}|throws (?:\{.*?\})?|see)/;

/** Sentences of the comments in code. */
export function ofComments(code: string): Sentence[] {
  return [...withoutLiterals(code).matchAll(COMMENT_REGEXP)].flatMap(
    (match) => {
      const [whole, block, lines, rest] = match;
      const firstLine = code.slice(0, match.index).split("\n").length;
      const text = block ?? lines ?? rest ?? whole;
      const prose = text.split("\n")
        .map((line) => line.replace(/^[ \t]*(?:\*|\/\/)? ?/, ""))
        .map((line) => /^(deno|ts|biome)-/.test(line) ? "" : line)
        .map((line) =>
          TAG_REGEXP.test(line) ? `- ${line.replace(TAG_REGEXP, "")}` : line
        )
        .join("\n");
      return ofMarkdown(prose, firstLine);
    },
  );
}

/** Code whose texts are blank, so that `//` within one begins no comment. */
function withoutLiterals(code: string): string {
  return code.replaceAll(
    /\/\*[\s\S]*?\*\/|\/\/.*|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`/g,
    (token) => token.startsWith("/") ? token : token.replaceAll(/[^\n]/g, " "),
  );
}

/** Fewest words of a text that somebody reads: names and codes have less. */
const LEAST_WORDS = 4;

/** Sentences of the texts in code: messages and help. */
export function ofTexts(code: string): Sentence[] {
  const blocks: Sentence[] = [];
  const tokens = code.matchAll(
    /\/\*[\s\S]*?\*\/|\/\/.*|"((?:\\.|[^"\\\n])*)"|`((?:\\.|\$\{(?:[^{}]|\{[^{}]*\})*\}|[^`\\])*)`/g,
  );
  for (const match of tokens) {
    const text = (match[1] ?? match[2])?.replaceAll(
      /\$\{(?:[^{}]|\{[^{}]*\})*\}/g,
      "CODE",
    )
      .replaceAll("\\n", "\n");
    if (text === undefined || text.split(/\s+/).length < LEAST_WORDS) continue;
    const line = code.slice(0, match.index).split("\n").length;
    blocks.push(...text.split("\n\n").map((text) => ({ line, text })));
  }
  return split(blocks);
}
