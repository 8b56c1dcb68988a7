/** What a sentence must not have, and why. */

/** Most words of a sentence. */
const MOST_WORDS = 30;

/** Words with a standard one in their place, and what they may mean all the same. */
const WORDS: readonly {
  word: RegExp;
  instead: string;
  allowed?: RegExp;
}[] = [
  { word: /\brefus(e[sd]?|ing|als?)\b/i, instead: "reject" },
  {
    word: /\b(take[sn]?|took|taking)\b/i,
    instead: "receive, accept or use",
    // A length of time, and what the standard calls so.
    allowed:
      /\b(take[s]?|took|taking) (longer|over|effect|place|precedence|up to|about|\d|as long|a (third|quarter|tenth|fifth|half)|(less|more) time|care|part)\b/i,
  },
  { word: /\b(tell|tells|told|telling)\b/i, instead: "report, say or send" },
  { word: /\bfloors?\b/i, instead: "baseline" },
  {
    word: /\bmarks?\b/i,
    instead: "target",
    allowed: /\b(quotation|question|byte order|water) marks?\b/i,
  },
  { word: /\bin clear\b/i, instead: "plain text" },
  { word: /\bbeside each other\b/i, instead: "concurrently" },
  { word: /\bgives? back\b|\bgave back\b/i, instead: "return" },
  { word: /\bgo(es)? on\b|\bwent on\b/i, instead: "continue" },
  { word: /\b(is|are) in(?=[.,;:]|$)/i, instead: "has arrived" },
  { word: /\b(has|have) come\b/i, instead: "has arrived" },
  { word: /\bwhoever\b/i, instead: "a noun" },
  { word: /\btoo[.]$/i, instead: "nothing: drop the trailing too" },
  { word: /\bwhere there (is|are)\b/i, instead: "if there is" },
];

/** What is wrong with a sentence, each in a line. */
export function objections(sentence: string): string[] {
  const found = WORDS.flatMap(({ word, instead, allowed }) => {
    const rest = allowed === undefined
      ? sentence
      : sentence.replaceAll(new RegExp(allowed, "gi"), "");
    const [said] = word.exec(rest) ?? [];
    return said === undefined ? [] : [`"${said}": say ${instead}`];
  });
  const words = sentence.split(/\s+/).filter((word) => /\w/.test(word));
  if (words.length > MOST_WORDS) {
    found.push(`${words.length} words, at most ${MOST_WORDS}`);
  }
  return found;
}
